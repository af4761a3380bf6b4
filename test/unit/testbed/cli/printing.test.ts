/** What is printed: `--quiet`, `--color`, `--json` and short options, with commands that need no kernel. */

import test from 'ava';
import {knownToCommandLine, programOf} from '../../../../testbed/cli/main.js';
import {shortOptions} from '../../../../testbed/cli/definitions/short-options.js';
import {pickKeys} from '../../../../testbed/cli/output/json-keys.js';
import {isLeftOut} from '../../../../testbed/cli/output/write-report.js';
import {choosePrinting, wantsColor} from '../../../../testbed/cli/output/terminal.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {runCommandLine} from '../../../helpers/command-line.js';

const passed = 'test/recordings/run-1-iptables-nft.testbed';
const dumps = ['release:1.20', '--diff', 'release:1.30'];

async function stdoutOf(given: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
	const {stdout} = await runCommandLine(given, {env});
	return stdout;
}

async function isColored(given: readonly string[], env?: Readonly<Record<string, string>>): Promise<boolean> {
	const text = await stdoutOf(given, env);
	return text.includes('\u001B[');
}

test.afterEach(() => {
	choosePrinting({});
});

test.serial('--quiet leaves out the text on standard output, if the status is 0', t => {
	const text = {format: 'text', file: '-'} as const;
	t.false(isLeftOut(text, 0));
	choosePrinting({quiet: true});
	t.true(isLeftOut(text, 0));
	t.deepEqual([1, 3].map(status => isLeftOut(text, status)), [false, false]);
	t.false(isLeftOut({format: 'text', file: 'report.txt'}, 0));
	t.false(isLeftOut({format: 'json', file: '-'}, 0));
});

test('--quiet prints nothing if everything passed, and the whole text if not', async t => {
	const quiet = await runCommandLine(['replay', passed, '--quiet']);
	t.deepEqual([quiet.exitCode, quiet.stdout, quiet.stderr], [0, '', '']);
	const json = await runCommandLine(['replay', passed, '-q', '--format', 'json']);
	t.is((JSON.parse(json.stdout) as {version: number}).version, 2);
	const file = await runCommandLine(['replay', passed, '-q', '--output', '/dev/stdout']);
	t.regex(file.stdout, /6 passed/u);
});

test('--color decides, whatever the environment says', async t => {
	for (const [choice, environment, expected] of [
		['always', {NO_COLOR: '1'}, true], ['never', {FORCE_COLOR: '1'}, false], ['auto', {FORCE_COLOR: '1'}, true], ['auto', {}, false],
	] as const) {
		t.is(wantsColor({choice, isTerminal: false, environment}), expected, `${choice} ${JSON.stringify(environment)}`);
	}

	t.true(await isColored(['replay', passed, '--color', 'always']));
	t.true(await isColored(['rules', ...dumps, '--color=always'], {NO_COLOR: '1'}));
	t.false(await isColored(['replay', passed, '--color', 'never'], {FORCE_COLOR: '1'}));
	t.false(await isColored(['replay', passed]));
});

test('--json prints the keys that are named, in that order', async t => {
	const {stdout} = await runCommandLine(['replay', passed, '--json=summary,version']);
	t.deepEqual(Object.entries(JSON.parse(stdout) as Record<string, unknown>), [['summary', {passed: 6, failed: 0, inconclusive: 0}], ['version', 2]]);
	const rules = await runCommandLine(['rules', 'release:1.30', '--json', 'release']);
	t.is(rules.stdout, '{\n  "release": "1.30"\n}\n');
	t.deepEqual(pickKeys({a: 1, b: 2}, undefined), {a: 1, b: 2});
	t.throws(() => pickKeys({a: 1, b: 2}, ['runs']), {instanceOf: TestbedError, message: '--json runs: this document has only the keys a, b.'});
});

for (const [given, message] of [
	[['replay', passed, '--json', 'sumary'], /^testbed: --json sumary: the document has no such key\. Did you mean summary\?\n→ Its keys are version, scenario, environment, .*, runs\. For the whole document: --format json\n$/u],
	[['rules', '--json', 'types'], /^testbed: --json types: the document has no such key\..*\n→ Its keys are version, .*\n$/u],
	[['replay', passed, '--json=runs'], /^testbed: --json runs: this document has only the keys version, environment, .*\.\nThe run itself is complete\.\n/u],
	[['replay', passed, '--json', ','], /^testbed: --json ,: it must name at least one item\.\n$/u],
	[['replay', passed, '--json', 'types', '--format', 'tap'], /^testbed: --json prints JSON, so --format tap cannot be used with it\.\n/u],
	[['replay', passed, '--color', 'sometimes'], /^testbed: --color sometimes: it must be auto, always or never\.\n$/u],
	[['replay', passed, '-o'], /^testbed: --output needs a value: -o, --output <file>\.\n$/u],
	[['replay', passed, '-f', 'jsn'], /^testbed: --format jsn: it must be text, .*Did you mean json\?\n$/u],
	[['replay', passed, '-f', 'json', '--format', 'tap'], /^testbed: --format is given twice \(json and tap\), but it takes one value\.\n/u],
	[['replay', passed, '-x'], /^testbed: replay has no option -x\.\n/u],
] as const) {
	test(`refused: ${given.join(' ')}`, async t => {
		const {exitCode, stdout, stderr} = await runCommandLine(given);
		t.deepEqual([exitCode, stdout], [2, '']);
		t.regex(stderr, message);
	});
}

test('a short option means the same in every command, and none is for nothing', t => {
	const commands = programOf().commands.flatMap(command => [command, ...command.commands]);
	const options = [programOf(), ...commands].flatMap(command => command.options);
	for (const [long, short] of Object.entries(shortOptions)) {
		const own = options.filter(option => option.short === short);
		t.true(own.length > 0, short);
		t.deepEqual([...new Set(own.map(option => option.long))], [long]);
		t.true(options.filter(option => option.long === long).every(option => option.short === short), long);
	}

	t.is(new Set(Object.values(shortOptions)).size, Object.keys(shortOptions).length);
	t.true(knownToCommandLine().options.some(({long}) => long === '--quiet'));
});

test('short options can be joined, with each other and with their values', async t => {
	const {stdout} = await runCommandLine(['replay', passed, '-vfjson']);
	t.is(stdout, await stdoutOf(['replay', passed, '--verbose', '--format', 'json']));
	t.regex(await stdoutOf(['-V']), /^testbed \d/u);
});
