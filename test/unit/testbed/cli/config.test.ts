/** Configuration files and variables: what they set, what counts more, and what they may not. */

import {
	mkdirSync, readFileSync, symlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Command} from 'commander';
import test, {type ExecutionContext} from 'ava';
import {parse} from 'yaml';
import {dir} from 'tmp-promise';
import {printJsonSchema} from '../../../../src/report/schemas.js';
import {applySettings} from '../../../../testbed/cli/config/apply.js';
import {readConfig} from '../../../../testbed/cli/config/file.js';
import {findConfig} from '../../../../testbed/cli/config/sources.js';
import {
	commandsIn, inFiles, keyOf, notInFiles,
} from '../../../../testbed/cli/config/settable.js';
import {configSchema} from '../../../../testbed/cli/config/schema.js';
import {shownOptions} from '../../../../testbed/cli/commands/config.js';
import {otherProxies} from '../../../../testbed/actors/proxy.js';
import {programOf} from '../../../../testbed/cli/main.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {runCommandLine} from '../../../helpers/command-line.js';
import {complaintOf, schemaFor} from '../../../helpers/json-schemas.js';

/** A folder with a file in it; the file's name is returned. */
async function written(t: ExecutionContext, text: string, name = 'testbed.config.yaml'): Promise<{readonly file: string; readonly folder: string}> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const file = path.join(folder, name);
	writeFileSync(file, text);
	return {file, folder};
}

function commandNamed(name: string) {
	return commandsIn(programOf()).find(one => one.name === name)!.command;
}

/** What counts for a command, without what nobody set. */
function settingsOf(name: string, environment: Readonly<Record<string, string>>): Readonly<Record<string, readonly [value: unknown, from: string]>> {
	const options = shownOptions(commandNamed(name), {environment, folder: '/dev/null/missing'});
	return Object.fromEntries(options.flatMap(({option, value, from}) => from === null || from === 'default' ? [] : [[option, [value, from.replace(/^.*\//u, '')] as const]]));
}

const example = `
backend: iptables-nft
family: both
types: [1, 4b]
rules: release:1.30
run:
  backend: [iptables-nft, nftables]
  jobs: 4
  quiet: true
  verbose: false
baseline check:
  stops-only: true
`;

test('a section counts more than the whole file, and a variable more than both', async t => {
	const {file} = await written(t, example);
	t.deepEqual(settingsOf('run', {TESTBED_CONFIG: file, TESTBED_JOBS: '2', TESTBED_BAIL: '1', TESTBED_LIST: 'false'}), {
		rules: ['release:1.30', 'testbed.config.yaml, line 5'],
		backend: [['iptables-nft', 'nftables'], 'testbed.config.yaml, line 7'],
		family: [['ipv4', 'ipv6'], 'testbed.config.yaml, line 3'],
		types: [['1', '4b'], 'testbed.config.yaml, line 4'],
		bail: [true, 'TESTBED_BAIL'],
		jobs: [2, 'TESTBED_JOBS'],
		quiet: [true, 'testbed.config.yaml, line 9'],
		list: [null, 'TESTBED_LIST'],
		verbose: [null, 'testbed.config.yaml, line 10'],
	});
	t.deepEqual(settingsOf('baseline check', {TESTBED_CONFIG: file}), {
		backend: ['iptables-nft', 'testbed.config.yaml, line 2'], family: [['ipv4', 'ipv6'], 'testbed.config.yaml, line 3'], 'stops-only': [true, 'testbed.config.yaml, line 12'],
	});
	t.deepEqual(settingsOf('probe', {TESTBED_CONFIG: '', TESTBED_UID: '5', TESTBED_BRIEF: 'true'}), {uid: [5, 'TESTBED_UID'], brief: [true, 'TESTBED_BRIEF']});
});

test('the command line counts most', async t => {
	const {file} = await written(t, example);
	const env = {TESTBED_CONFIG: file, TESTBED_TYPES: '2'};
	const {stdout} = await runCommandLine(['run', '--list', '--types', '3', '--family', 'ipv4'], {env});
	t.is(stdout, 'release:1.30, iptables-nft: type 3 prometheus-to-local, ipv4\nrelease:1.30, nftables: type 3 prometheus-to-local, ipv4\n');
	const other = await runCommandLine(['run', '--list', '--family', 'ipv4', '--backend', 'nftables'], {env});
	t.is(other.stdout, 'release:1.30, nftables: type 2 local-to-remote, ipv4\n');
});

test('a file is found by its name, in YAML and in JSON; two are too many', async t => {
	const {folder} = await written(t, '{"backend": "nftables"}', 'testbed.config.json');
	t.is(findConfig(folder, {}), 'testbed.config.json');
	t.is(findConfig(folder, {TESTBED_CONFIG: ''}), undefined);
	t.is(findConfig(folder, {TESTBED_CONFIG: 'mine.yaml'}), 'mine.yaml');
	t.is(findConfig('/dev/null/missing', {}), undefined);
	t.is(readConfig(path.join(folder, 'testbed.config.json'), programOf()).sections.get('')?.get('backend')?.value, 'nftables');
	writeFileSync(path.join(folder, 'testbed.config.yml'), '');
	t.throws(() => findConfig(folder, {}), {instanceOf: TestbedError, message: 'There are two configuration files here, testbed.config.yml and testbed.config.json.'});
});

for (const [text, message] of [
	['bakend: nftables', 'line 1: there is no option "bakend". Did you mean backend?'],
	['run:\n  stops-only: true', 'line 2: there is no option "stops-only".'],
	['rnu:\n  jobs: 2', /^line \d: there is no option "rnu"\. Did you mean run\?/u],
	['run: 3', 'line 1: run is a command, so it must be a mapping of its options to values.'],
	['release: 1.30', 'line 1: "release" must be in quotes: YAML reads it as the number 1.3.'],
	['verbose: 1', 'line 1: "verbose" must be true or false.'],
	['backend: {a: b}', 'line 1: "backend" must be a text or a number, or a list of these.'],
	['backend:', 'backend has no value.'],
	['- backend', 'it must be a mapping of options to values.'],
	['a: 1\n---\nb: 2', 'it holds several documents; expected one.'],
	...(['output', 'record', 'envoy', 'allow-modules', 'allow-outside', 'update', 'keep', 'kubeconfig', 'context', 'debug-image'].map(key => [`${key}: x`, `line 1: "${key}" cannot be set in a file, which may come from somebody else. Write --${key} on the command line, or set TESTBED_${key.toUpperCase().replaceAll('-', '_')}.`] as const)),
	['rules: /etc/shadow', 'line 1: "rules" must name a file in the folder of testbed.config.yaml, or below it. Others can be named on the command line.'],
	['rules: ../my.rules', /^line 1: "rules" must name a file in the folder/u],
	['rules: pod:/etc/shadow', /^line 1: "rules" must name a file in the folder/u],
	['rules: \'-\'', /^line 1: "rules" must name a file in the folder/u],
	['cases: [types, /etc/other.yaml]', /^line 1: "cases" must name a file in the folder/u],
	...['pid:1', 'kubectl:shop/cart'].map(source => [`rules: ${source}`, 'line 1: "rules" cannot name a live pod in a file, which may come from somebody else. Name it on the command line.'] as const),
	['rules6: /etc/shadow', /^line 1: "rules6" must name a file in the folder/u],
] as const) {
	test(`refused: ${JSON.stringify(text)}`, async t => {
		const {file} = await written(t, text);
		const error = t.throws(() => readConfig(file, programOf()), {instanceOf: TestbedError, code: 'INPUT'});
		const said = error.message.replace(`${file}: `, '');
		t.is(said.startsWith('line') || typeof message === 'string' ? said : '', said);
		t.true(typeof message === 'string' ? said === message : message.test(said), said);
	});
}

/** Options of any command of which nobody decided whether a file can set them. */
function undecidedIn(program: Command): readonly string[] {
	const known = commandsIn(program).flatMap(({command}) => command.options.map(option => keyOf(option)));
	return [...new Set(known)].filter(key => !inFiles.has(key) && !notInFiles.has(key));
}

test('of every option of every command, it is decided whether a file can set it', t => {
	const program = programOf();
	const known = new Set(commandsIn(program).flatMap(({command}) => command.options.map(option => keyOf(option))));
	t.deepEqual(undecidedIn(program), [], 'Add these to inFiles or notInFiles of testbed/cli/config/settable.ts.');
	t.deepEqual([...inFiles].filter(key => notInFiles.has(key)), []);
	t.deepEqual([...inFiles, ...notInFiles].filter(key => !known.has(key)), []);
	t.deepEqual(otherProxies.filter(name => inFiles.has(name)), []);
});

test('goes red: an option of which nobody decided; a file cannot set it', async t => {
	const program = programOf();
	program.commands.find(command => command.name() === 'run')!.option('--made-up <program>', 'start this program');
	t.deepEqual(undecidedIn(program), ['made-up']);
	const {file} = await written(t, 'made-up: /bin/true');
	t.throws(() => readConfig(file, program), {instanceOf: TestbedError, message: /"made-up" cannot be set in a file, which may come from somebody else/u});
	t.false(JSON.stringify(await configSchema(program)).includes('made-up'));
});

test.serial('a file below the folder can be named, a link that leads out of it cannot', async t => {
	const {file, folder} = await written(t, 'rules: sub/my.rules\n');
	mkdirSync(path.join(folder, 'sub'));
	writeFileSync(path.join(folder, 'sub/my.rules'), '');
	symlinkSync('/etc/hostname', path.join(folder, 'link.rules'));
	const before = process.cwd();
	process.chdir(folder);
	try {
		t.is(readConfig('testbed.config.yaml', programOf()).sections.get('')?.get('rules')?.value, 'sub/my.rules');
		writeFileSync(file, 'rules: link.rules\n');
		t.throws(() => readConfig('testbed.config.yaml', programOf()), {message: /must name a file in the folder/u});
	} finally {
		process.chdir(before);
	}
});

for (const [environment, message] of [
	[{TESTBED_BACKEND: 'legacy'}, 'TESTBED_BACKEND: backend legacy: it must be iptables-nft, iptables-legacy, nftables or all. Did you mean iptables-legacy?'],
	[{TESTBED_PROXY: 'nginx'}, 'TESTBED_PROXY: proxy nginx: it must be stub or envoy.'],
	[{TESTBED_VERBOSE: 'perhaps'}, 'TESTBED_VERBOSE=perhaps: it must be true or false.'],
	[{TESTBED_BACKENDS: 'nftables'}, 'The variable TESTBED_BACKENDS is not read. Did you mean TESTBED_BACKEND?'],
	[{TESTBED_CONFIG: '/nowhere.yaml'}, 'The configuration file cannot be read: /nowhere.yaml: no such file.'],
] as const) {
	test(`refused: ${Object.entries(environment).flat().join('=')}`, t => {
		t.throws(() => applySettings(commandNamed('run'), {environment, folder: '/dev/null/missing'}), {instanceOf: TestbedError, message});
	});
}

test('an empty variable counts for nothing, and foreign ones are left alone', t => {
	t.deepEqual(settingsOf('run', {TESTBED_BACKEND: '', TESTBED_DEBUG: '1', TESTBED_AVA_RESULT: 'x', TESTBED_MATRIX_INSIDE: '1', TESTBED_CONFINED_PROGRAMS: '1', TESTBED_BOX: 'x'}), {});
});

test('a value that one command does not take is an error there that says what to do', async t => {
	const {file} = await written(t, 'format: markdown\n');
	const refused = await runCommandLine(['rules'], {env: {TESTBED_CONFIG: file}});
	t.deepEqual([refused.exitCode, refused.stdout], [2, '']);
	t.is(refused.stderr, `testbed: ${file}, line 1: format markdown: it must be text or json.\nNothing was run.\n→ If it is meant for another command only, move it to the section of that command, such as run:\n`);
	const printed = await runCommandLine(['config'], {env: {TESTBED_CONFIG: file}});
	t.regex(printed.stdout, /^ {2}--format markdown +\S+testbed\.config\.yaml, line 1$/mu);
});

test('testbed config prints what counts, as text and as JSON', async t => {
	const {file} = await written(t, example);
	const text = await runCommandLine(['config', 'baseline', 'check'], {env: {TESTBED_CONFIG: file}});
	t.regex(text.stdout, /^testbed baseline check, with \S+:\n/u);
	t.regex(text.stdout, /^ {2}--backend iptables-nft +\S+, line 2$/mu);
	t.regex(text.stdout, /^ {2}--format text +default$/mu);
	t.regex(text.stdout, /^Not set: .*--update/mu);
	const json = await runCommandLine(['config', '--format', 'json'], {env: {TESTBED_CONFIG: file, TESTBED_FORMAT: 'tap'}});
	const {command, options} = JSON.parse(json.stdout) as {command: string; options: ReadonlyArray<Readonly<Record<string, unknown>>>};
	t.is(command, 'run');
	t.deepEqual(options.find(({option}) => option === 'format'), {
		option: 'format', value: 'tap', from: 'TESTBED_FORMAT', variable: 'TESTBED_FORMAT',
	});
	const unknown = await runCommandLine(['config', 'rnu']);
	t.is(unknown.exitCode, 2);
	t.regex(unknown.stderr, /^testbed: There is no command "rnu"\. Did you mean run\?\n→ The commands are run, .*baseline create/u);
});

test('the JSON Schema takes what is taken, and nothing that is refused', async t => {
	const schema = await configSchema(programOf());
	t.true(Object.keys(schema['properties'] as object).includes('baseline check'));
	t.is(readFileSync('schemas/config.schema.json', 'utf8'), printJsonSchema(schema), 'npm run schemas');
	const complaint = (text: string) => complaintOf(schemaFor('config'), parse(text) as never);
	t.is(complaint(example), null);
	for (const text of ['bakend: x', 'output: x', 'run: 3', 'run: {stops-only: true}', 'verbose: 1', 'release: 1.30', 'family: ipv5', 'backend: []']) {
		t.not(complaint(text), null, text);
	}
});
