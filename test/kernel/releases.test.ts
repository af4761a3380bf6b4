/** Releases that are not known yet: every command uses the newest known rules and says so, in text and in JSON. */

import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {newest, unknown} from '../helpers/releases.js';
import {testbed} from './_cli.js';

const note = `${unknown} is newer than the known releases: these are the rules of ${newest}.`;
const summary = {source: `release:${unknown}`, release: newest, backend: 'iptables-nft', notes: [note]};

/** Text as it was before it was wrapped. */
function unwrapped(text: string): string {
	return text.replaceAll(/\s+/gu, ' ');
}

test.serial('run: the newest known release is the default, and a later one gets its rules, with a note', async t => {
	const types = ['run', '--types', '2'];
	const [byDefault, json, text, tap, many] = await Promise.all([
		testbed([...types, '--format', 'json']),
		testbed([...types, '--rules', `release:${unknown}`, '--format', 'json']),
		testbed([...types, '--rules', unknown]),
		testbed([...types, '--rules', `release:${unknown}`, '--format', 'tap']),
		testbed([...types, '--rules', `release:${unknown}`, '--backend', 'iptables-nft,nftables']),
	]);
	t.deepEqual([byDefault, json, text, tap, many].map(({exitCode}) => exitCode), [0, 0, 0, 0, 0], text.stderr);
	const [known, newer] = [byDefault, json].map(({stdout}) => (JSON.parse(stdout) as {rules: {sha256: string}}).rules);
	t.like(known, {source: `release:${newest}`, release: newest, notes: []});
	t.like(newer, summary);
	t.is(newer!.sha256, known!.sha256);
	t.regex(text.stdout, /^ {2}rules {4}release:1\.33 \(release 1\.31\), iptables-nft, ipv4, sha256 \w+\n {2}note {5}1\.33 is newer than the known releases: these are the rules of 1\.31\.\n/mu);
	t.true(tap.stdout.includes(`\n# ${note}\n`), tap.stdout);
	t.true(unwrapped(many.stdout).includes(`note all: ${note}`), many.stdout);
});

test.serial('probe: one, and a batch', async t => {
	const asked = ['probe', '--from', 'app', '--to', 'remote:8080', '--rules', `release:${unknown}`];
	const [json, text, batch] = await Promise.all([
		testbed([...asked, '--format', 'json']),
		testbed(asked),
		testbed(['probe', '--batch', '-', '--rules', `release:${unknown}`], {input: '{"to": "remote:8080"}\n'}),
	]);
	t.deepEqual([json, text, batch].map(({exitCode}) => exitCode), [0, 0, 0], batch.stderr);
	t.like(JSON.parse(json.stdout), {rules: summary});
	t.true(unwrapped(text.stdout).includes(` note ${note} `), text.stdout);
	t.true(batch.stderr.includes(`testbed: ${note}\n`), batch.stderr);
});

test.serial('diff: each side has its own note', async t => {
	const [json, text, tap] = await Promise.all(['json', 'text', 'tap'].map(async format => testbed(['diff', `release:${newest}`, `release:${unknown}`, '--family', 'ipv4', '--format', format])));
	t.deepEqual([json, text, tap].map(each => each!.exitCode), [0, 0, 0], text!.stderr);
	t.like(JSON.parse(json!.stdout), {from: {source: `release:${newest}`, notes: []}, to: summary, outcome: 'equal'});
	t.regex(unwrapped(text!.stdout), /from release:1\.31, \S+ sha256 \w+ kind Istio sidecar, release 1\.31\. to release:1\.33 \(release 1\.31\), \S+ sha256 \w+ kind Istio sidecar, release 1\.31\. note 1\.33 is newer than the known releases: these are the rules of 1\.31\. system/u);
	t.true(tap!.stdout.includes(`\n# ${note}\n`), tap!.stdout);
});

test.serial('diff --consecutive --since: compared by number, and a future release selects nothing', async t => {
	const [some, none, old] = await Promise.all(['v1.30.2', unknown, '1.4'].map(async since => testbed(['diff', '--consecutive', '--since', since, 'release:all', '--family', 'ipv4'])));
	t.deepEqual([some, none, old].map(each => each!.exitCode), [0, 2, 2], some!.stderr);
	t.regex(some!.stdout, /✔ 1\.30 → 1\.31 {2}equal\n\n1 pairs equal/u);
	t.regex(none!.stderr, /release:all names one rule set since 1\.33; --consecutive needs at least two[\s\S]*The newest known release is 1\.31/u);
	t.regex(old!.stderr, /--since 1\.4: release 1\.4 is older than 1\.5, the oldest one known; the nearest is 1\.5\./u);
});

test.serial('rules: the text stays valid for iptables-restore, and the note goes to stderr', async t => {
	const [json, text, known, node] = await Promise.all([
		testbed(['rules', `release:${unknown}`, '--format', 'json']), testbed(['rules', unknown]), testbed(['rules']), testbed(['rules', `ambient-host:${unknown}`]),
	]);
	t.deepEqual([json, text, known, node].map(({exitCode}) => exitCode), [0, 0, 0, 0], text.stderr);
	t.like(JSON.parse(json.stdout), {...summary, rules: 18});
	t.is(text.stdout, known.stdout);
	t.deepEqual([text, known, node].map(({stderr}) => stderr.includes(`note: ${note}\n`)), [true, false, true]);
});

test.serial('mutate and coverage', async t => {
	const [mutants, covered, printed] = await Promise.all([
		testbed(['mutate', `release:${unknown}`, '--cases', 'types', '--sample', '1', '--format', 'json']),
		testbed(['coverage', `release:${unknown}`, '--cases', 'types', '--format', 'json']),
		testbed(['mutate', `release:${unknown}`, '--print', '1']),
	]);
	t.like(JSON.parse(mutants.stdout), {rules: summary}, mutants.stderr);
	t.like(JSON.parse(covered.stdout), {rules: summary}, covered.stderr);
	t.true(printed.stderr.includes(`testbed: ${note}\n`), printed.stderr);
});

test.serial('baseline create and check', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const file = path.join(folder, 'baseline.json');
	const recorded = await testbed(['baseline', 'create', `release:${unknown}`, '--family', 'ipv4', '--output', file]);
	t.is(recorded.exitCode, 0, recorded.stderr);
	t.true(recorded.stderr.includes(`testbed: ${note}\n`), recorded.stderr);
	const [json, text] = await Promise.all([testbed(['baseline', 'check', file, '--format', 'json']), testbed(['baseline', 'check', file, `release:${newest}`])]);
	t.like(JSON.parse(json.stdout), {outcome: 'same', rules: summary, baseline: {rules: {source: `release:${unknown}`, release: newest}}}, json.stderr);
	t.is(text.exitCode, 0, text.stderr);
	t.false(text.stdout.includes('note'), text.stdout);
});

test.serial('a scenario, a pod, and a file whose name is a release', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	writeFileSync(path.join(folder, 'a.yaml'), `version: 1\nname: n\nabout: a\nrules: release:${unknown}\nprobes:\n  - {name: p, from: app, to: "remote:8080", expect: {stops: ["proxy:15001", "remote:8080"]}}\n`);
	writeFileSync(path.join(folder, 'pod.json'), JSON.stringify({
		apiVersion: 'v1', kind: 'Pod', metadata: {name: 'app'}, spec: {
			initContainers: [{name: 'istio-init', image: 'example/proxyv2:prod-7', args: ['istio-iptables', '-p', '15001', '-z', '15006', '-u', '1337', '-m', 'REDIRECT', '-i', '*', '-b', '*']}], containers: [{name: 'app'}],
		},
	}));
	const {stdout: dump} = await testbed(['rules', 'release:1.30']);
	const beside = path.join(folder, 'beside');
	mkdirSync(beside);
	writeFileSync(path.join(beside, newest), dump);
	const [seen, ofPod, asked, ofFile] = await Promise.all([
		testbed(['run', path.join(folder, 'a.yaml'), '--backend', 'iptables-nft', '--format', 'json']),
		testbed(['run', '--types', '2', '--rules', `pod:${path.join(folder, 'pod.json')}`, '--format', 'json']),
		testbed(['run', '--types', '2', '--rules', `pod:${path.join(folder, 'pod.json')}`, '--release', unknown, '--format', 'json']),
		testbed(['run', '--types', '2', '--rules', newest, '--format', 'json'], {cwd: beside}),
	]);
	const rulesOf = ({stdout, stderr}: {readonly stdout: string; readonly stderr: string}): {readonly release: string | null; readonly notes: readonly string[]} => {
		t.not(stdout, '', stderr);
		return (JSON.parse(stdout) as {rules: {release: string | null; notes: readonly string[]}}).rules;
	};

	t.like(rulesOf(seen), summary);
	t.like(rulesOf(ofPod), {release: newest, notes: [`The image example/proxyv2:prod-7 names no release: these are the rules of ${newest}, the newest one known. A tag that is a version, or --release VERSION, chooses another.`]});
	t.like(rulesOf(asked), {release: newest, notes: [note]});
	t.like(rulesOf(ofFile), {release: null, notes: [`${newest} was read as the file of that name; for the release, write release:${newest}.`]});
});
