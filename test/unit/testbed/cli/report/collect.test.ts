/** `testbed report`: what is collected is listed, and nothing else is in it. */

import {Buffer} from 'node:buffer';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import type {BugReport} from '../../../../../src/report/bug-report-schema.js';
import {collectReport, type Collecting} from '../../../../../testbed/cli/report/collect.js';
import {distributionOf, variablesOf} from '../../../../../testbed/cli/report/machine.js';
import {Redactor} from '../../../../../testbed/cli/report/redact.js';
import {readFiles} from '../../../../../testbed/cli/report/files.js';
import {programOf} from '../../../../../testbed/cli/main.js';
import {TestbedError} from '../../../../../testbed/errors.js';
import {replay} from '../../../../../testbed/recording/replay.js';
import {printRecording, parseRecording} from '../../../../../testbed/recording/file.js';
import {complaintOf, schemaFor} from '../../../../helpers/json-schemas.js';

const folder = await dir({unsafeCleanup: true});
test.after.always(async () => {
	await folder.cleanup();
});

function written(name: string, text: string | Uint8Array): string {
	const file = path.join(folder.path, name);
	writeFileSync(file, text);
	return file;
}

const names = {
	homes: ['/home/alice'], users: ['alice'], hosts: ['build7'], folders: [folder.path],
};
const dump = '# by alice on build7, /home/alice/rules\n*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n';
const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: shop}\nspec:\n  containers:\n    - {name: app, image: shop, env: [{name: PASSWORD, value: geheim-4711}]}\n    - {name: istio-proxy, image: \'docker.io/istio/proxyv2:1.30.0\'}\n';
const recorded = readFileSync('test/recordings/run-1-iptables-nft.testbed');

async function collected(more: Partial<Collecting> = {}): Promise<BugReport> {
	return collectReport({
		program: programOf(),
		sources: {environment: {}, folder: folder.path},
		files: {},
		names,
		askDoctor: async () => ({version: 2, findings: [], commands: []}),
		...more,
	});
}

test('every part and every file is in the list of contents, and the document is the one that the schema describes', async t => {
	const report = await collected({
		sources: {environment: {TERM: 'xterm', TESTBED_FAMILY: 'ipv6', SECRET_TOKEN: 'geheim-4711'}, folder: folder.path},
		files: {rules: written('my.rules', dump), scenario: ['scenarios/udp.yaml'], recording: written('run.testbed', recorded)},
	});
	t.is(complaintOf(schemaFor('bug-report', {isClosed: true}), structuredClone(report)), null);
	t.deepEqual(report.faults, []);
	const heads = new Set(report.contents.map(line => line.split(':', 1)[0]!));
	const parts = Object.keys(report).filter(key => !['version', 'contents', 'faults'].includes(key));
	t.deepEqual([...heads].toSorted(), parts.toSorted());
	for (const {name, text} of report.files) {
		t.true(report.contents.some(line => line.startsWith(`files: ${name}, `) && line.includes(`(${Buffer.byteLength(text).toLocaleString('en-US')} bytes)`)), name);
	}

	t.deepEqual(report.files.map(({name}) => name), ['run.testbed', 'my.rules', 'udp.yaml']);
	t.true(report.contents.some(line => line.startsWith('variables: TERM (')));
	t.like(report.settings.options.find(({command}) => command === 'run'), {option: 'family', from: 'TESTBED_FAMILY'});
});

test('no secret variable, no home, no user and no host is in it', async t => {
	const report = await collected({
		sources: {environment: {SECRET_TOKEN: 'geheim-4711', TMPDIR: '/home/alice/tmp', AWS_SECRET_ACCESS_KEY: 'geheim-4711'}, folder: folder.path},
		files: {rules: `pod:${written('pod.yaml', pod)}`, scenario: [written('s.yaml', 'name: alice\'s\n')]},
	});
	const text = JSON.stringify(report);
	t.notRegex(text, /geheim|alice|build7/u, text);
	t.false(text.includes(folder.path));
	t.is(report.variables['TMPDIR'], '~/tmp');
	t.regex(report.files[0]!.text, /ISTIO_OUTPUT/u);
	t.regex(report.files[0]!.what, /^the rules that the testbed makes of pod:\.\/pod\.yaml$/u);
});

test('goes red: with names that are not told apart, they would be in it', async t => {
	const report = await collected({
		names: {
			homes: [], users: [], hosts: [], folders: [],
		}, files: {rules: written('red.rules', dump)},
	});
	t.regex(JSON.stringify(report), /by alice on build7/u);
});

test('a recording replays as before, with its names replaced', t => {
	const recording = parseRecording(recorded, 'it');
	const [entry] = recording.entries;
	if (recording.what !== 'run' || entry?.kind !== 'evidence') {
		throw new Error('The recording is of another kind.');
	}

	const {evidence} = entry;
	const private_ = printRecording({what: 'run', entries: [{...entry, evidence: {...evidence, question: {...evidence.question, rules: {...evidence.question.rules, source: '/home/alice/x.rules'}}}}]});
	const {files: [file]} = readFiles({recording: written('private.testbed', private_)}, new Redactor(names));
	t.false(file!.text.includes('alice'));
	const [before, after] = [private_, Buffer.from(file!.text)].map(bytes => replay(bytes, 'it'));
	if (before?.what !== 'run' || after?.what !== 'run') {
		throw new Error('The recording is of another kind.');
	}

	t.is(after.report.rules.source, '~/x.rules');
	t.deepEqual(after.report.types.map(({outcome}) => outcome), before.report.types.map(({outcome}) => outcome));
});

test('what cannot be collected is named, and the rest is there', async t => {
	const own = await dir({unsafeCleanup: true});
	t.teardown(async () => own.cleanup());
	writeFileSync(path.join(own.path, 'testbed.config.yaml'), 'nonsense: 1\n');
	const report = await collected({
		sources: {environment: {TESTBED_CONFIG: path.join(own.path, 'testbed.config.yaml')}, folder: folder.path},
		files: {rules: 'release:0.1'},
		async askDoctor() {
			throw new Error('no namespaces\nfor alice');
		},
	});
	t.is(report.doctor, null);
	t.is(report.faults.length, 3, report.faults.join('\n'));
	t.regex(report.faults[0]!, /^--rules: release:0\.1: release 0\.1 is older/u);
	t.regex(report.faults[1]!, /^The settings: .*nonsense/u);
	t.is(report.faults[2], 'The doctor: no namespaces\nfor USER');
	t.is(report.contents.filter(line => line.startsWith('faults: ')).length, 3);
});

test('rules that are not understood are put in as they are: they may be what the report is about', async t => {
	const report = await collected({files: {rules: written('odd.rules', 'this is -j nothing\n'), rules6: written('odd6.rules', 'nor this\n')}});
	t.deepEqual(report.files.map(({name, text}) => [name, text]), [['odd.rules', 'this is -j nothing\n'], ['odd6.rules', 'nor this\n']]);
});

test('two files of one name are told apart', async t => {
	const file = written('same.yaml', 'a: 1\n');
	const report = await collected({files: {scenario: [file, file]}});
	t.deepEqual(report.files.map(({name}) => name), ['same.yaml', '2-same.yaml']);
});

for (const [files, message] of [
	[{rules: 'netns:shop'}, /^netns:shop is a live pod, and a report holds files only\.$/u],
	[{rules6: 'x'}, /^--rules6 goes with the dump in --rules\.$/u],
	[{recording: 'package.json'}, /package\.json is not a recording of the testbed\.$/u],
	[{scenario: ['/nowhere/a.yaml']}, /\/nowhere\/a\.yaml: no such file\.$/u],
	[{rules: '/nowhere/a.rules'}, /\/nowhere\/a\.rules: no such file\.$/u],
] as const) {
	test(`refused: ${JSON.stringify(files)}`, async t => {
		await t.throwsAsync(collected({files}), {instanceOf: TestbedError, message});
	});
}

test('variables are those of the list, and a distribution is read from its file', t => {
	t.deepEqual(variablesOf({PATH: '/bin', HOME: '/home/alice', LANG: 'C', TESTBED_TOKEN: 'x', GITHUB_TOKEN: 'x', CI: 'true'}), {CI: 'true', LANG: 'C'});
	t.deepEqual(distributionOf(written('os-release', 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n')), {id: 'debian', version: '13', name: 'Debian GNU/Linux 13 (trixie)'});
	t.is(distributionOf('/nowhere/os-release'), null);
});
