/** Errors in scenarios name each file and are reported together; and loops of chains are found before anything is installed. */

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {usualCredentials} from '../../../../testbed/inputs/credentials.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {loadRuleInput} from '../../../../testbed/inputs/rules.js';
import {scenarioFiles} from '../../../../testbed/inputs/scenario-words.js';
import {loadScenarios, type LoadedScenarios} from '../../../../testbed/inputs/scenarios.js';
import {newest, newestPatch} from '../../../helpers/releases.js';

const folder = mkdtempSync(path.join(tmpdir(), 'testbed-faults-'));
test.after.always(() => {
	rmSync(folder, {recursive: true});
});

function write(name: string, {rules = 'release:1.30', head = '', from = 'app'}: {readonly rules?: string; readonly head?: string; readonly from?: string} = {}): string {
	const file = path.join(folder, name);
	writeFileSync(file, `version: 1\nname: x\nabout: x\nrules: ${rules}\n${head}probes:\n  - {name: p, from: ${from}, to: "remote:8080", expect: {stops: ["proxy:15001", "remote:8080"]}}\n`);
	return file;
}

function load(...files: readonly string[]): readonly LoadedScenarios[] {
	return loadScenarios(files, {backends: ['iptables-nft'], credentialsOf: (intent, known) => usualCredentials({}, intent, known)});
}

test('good files, each in its place', t => {
	t.deepEqual(load(write('one.yaml'), write('two.yaml')).map(({prepared}) => path.basename(prepared[0]!.play.file)), ['one.yaml', 'two.yaml']);
});

test('one fault: the file, its line and the key, and no option that nobody gave', t => {
	const file = write('release.yaml', {rules: 'release:1.99x'});
	const error = t.throws(() => load(write('good.yaml'), file), {instanceOf: TestbedError, code: 'INPUT'});
	t.is(error.message, `${file}: line 4, column 1, rules: release:1.99x: "1.99x" is not a version; write one as ${newest} or ${newestPatch}, or latest for the newest one known`);
	t.is(error.state, 'Nothing was run.');
});

test('a file of rules that is not there: the scenario is named, and the hint stays', t => {
	const file = write('file.yaml', {rules: 'none.rules'});
	const error = t.throws(() => load(file), {instanceOf: TestbedError, code: 'INPUT'});
	t.is(error.message, `${file}: line 4, column 1, rules: The rules cannot be read: ${path.join(folder, 'none.rules')}: no such file.`);
	t.regex(error.hint ?? '', /^Rules can be /u);
});

test('faults of several files, all at once, each with its name', t => {
	const files = [write('a.yaml', {from: 'ap'}), write('b.yaml'), path.join(folder, 'none.yaml'), write('c.yaml', {head: 'places: {x: 10.244.1.10}\n'})];
	const error = t.throws(() => load(...scenarioFiles(files)), {instanceOf: TestbedError, code: 'INPUT'});
	const [head, ...faults] = error.message.split('\n');
	t.is(head, '3 of 4 scenarios cannot be run:');
	t.deepEqual(faults.map(line => line.slice(0, 2)), ['  ', '  ', '  ']);
	t.regex(faults[0]!, /a\.yaml: line 6, column 15, probes\[0\]\.from: "ap" is not an actor of this scenario; did you mean "app"\?$/u);
	t.regex(faults[1]!, /The scenario cannot be read: .*none\.yaml: no such file\.$/u);
	t.regex(faults[2]!, /c\.yaml: line 5, column 10, places\.x: 10\.244\.1\.10 is the address of the pod/u);
});

const ring = '*nat\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n-A OUTPUT -j A\n-A A -j B\n-A B -j A\nCOMMIT\n';

test('a ring of chains in a dump: the lines and the ring', t => {
	const error = t.throws(() => loadRuleInput({source: 'my.rules', text: ring, families: ['ipv4']}), {instanceOf: TestbedError, code: 'INPUT'});
	t.is(error.message, 'my.rules: lines 6, 7: the chains A → B → A jump in a loop, which the kernel rejects.');
	t.is(error.state, 'Nothing was installed.');
	t.throws(() => loadRuleInput({source: 'my.rules', text: ring.replace('-A A -j B', '-A A -j A'), families: ['ipv4']}), {message: 'my.rules: line 6: chain A jumps to itself, which the kernel rejects.'});
});

test('a ring that a scenario puts in', t => {
	const file = write('ring.yaml', {head: 'insert: ["-t nat -I ISTIO_REDIRECT 1 -j ISTIO_OUTPUT"]\n'});
	t.throws(() => load(file), {code: 'INPUT', message: /ring\.yaml: line 4, column 1, rules: insert: table nat: the chains ISTIO_OUTPUT → ISTIO_REDIRECT → ISTIO_OUTPUT jump in a loop/u});
});
