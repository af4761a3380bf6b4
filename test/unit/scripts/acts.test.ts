import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {isolated, load, root, writeTree} from './_setup.js';

const {acts, checkerPrograms} = load('acts');
const {complaintsAboutActs} = await import(path.join(root, 'scripts/checks/acts.mjs')) as {complaintsAboutActs: (root: string) => string[]};

for (const [name, argv, kernel] of [
	['testbed', [], true],
	['testbed', ['--format', 'json'], true],
	['testbed', ['run', '--types', '1'], true],
	['testbed', ['probe', '--from', 'app', '--to', 'pod:80'], true],
	['testbed', ['probe', '--help'], false],
	['testbed', ['clean'], true],
	['testbed', ['run', '--list'], false],
	['testbed', ['--list', '--backend', 'all'], false],
	['testbed', ['diff', '--list'], true],
	['testbed', ['run', '--check'], false],
	['testbed', ['--check', '--family', 'both'], false],
	['testbed', ['baseline', 'create', '--check'], false],
	['testbed', ['baseline', 'check', 'baseline.json'], true],
	['testbed', ['serve', '--check'], true],
	['testbed', ['mutate', '--print', '3'], false],
	['testbed', ['mutate', 'release:1.30', '--print=3'], false],
	['testbed', ['mutate', 'release:1.30'], true],
	['testbed', ['prob', '--print', '3'], false],
	['testbed', ['--help'], false],
	['testbed', ['run', '-h'], false],
	['testbed', ['--version'], false],
	['testbed', ['doctor'], false],
	['testbed', ['rules', '--number'], false],
	['testbed', ['replay', 'run.testbed'], false],
	['testbed', ['run', '--', '--help'], true],
	['test', [], true],
	['test', ['--verbose'], true],
	['test', ['kernel'], true],
	['test', ['unit'], false],
	['test', ['unit', '--match', '*'], false],
	['test', ['test/unit/scripts/acts.test.ts'], false],
	['test', ['test/unit/a.test.ts', 'test/kernel/b.test.ts'], true],
	['test', ['--help'], false],
	['bench', [], true],
	['conformance', [], false],
	['conformance', ['--proxy', 'envoy'], true],
	['conformance', ['--proxy=envoy'], true],
	['conformance', ['--proxy', 'envoy', '--help'], false],
	['lint', [], false],
	['build', [], false],
	['graph', [], false],
	['schemas', [], false],
	['ci-tools', [], false],
] as const) {
	test(`${[name, ...argv].join(' ')} ${kernel ? 'needs' : 'does not need'} the kernel`, t => {
		t.is(acts[name]!.kernel(argv), kernel);
	});
}

for (const [given, passed] of [
	[['unit'], ['dist/test/unit']],
	[['kernel', '--serial'], ['dist/test/kernel', '--serial']],
	[['test/unit/a/b.test.ts'], ['dist/test/unit/a/b.test.js']],
	[['./test/unit/b.test.ts:4,7-9'], ['dist/test/unit/b.test.js:4,7-9']],
	[['--match', 'unit'], ['--match', 'unit']],
	[['dist/test/unit/b.test.js'], ['dist/test/unit/b.test.js']],
] as const) {
	test(`npm test -- ${given.join(' ')} names compiled files`, t => {
		t.deepEqual(acts['test']!.arguments!(given), [...passed]);
	});
}

for (const {given, says} of [
	{given: [], says: /minutes/},
	{given: ['kernel'], says: /minutes/},
	{given: ['unit'], says: /a minute or two/},
	{given: ['test/kernel/a.test.ts'], says: undefined},
	{given: ['--help'], says: undefined},
]) {
	test(`npm test ${given.join(' ')} ${says === undefined ? 'says nothing first' : 'says how long it takes'}`, t => {
		const hint = acts['test']!.hint!(given);
		if (says === undefined) {
			t.is(hint, undefined);
		} else {
			t.regex(hint ?? '', says);
			t.true(hint!.split('\n').every(line => `testbed: ${line}`.length <= 80), hint);
		}
	});
}

test('only the act for CI installs what only CI must have', t => {
	for (const [name, {programs}] of Object.entries(acts)) {
		t.deepEqual(programs, name === 'ci-tools' ? checkerPrograms : undefined, name);
	}
});

test('every act and script of this project is listed, and its documents name no other', t => {
	t.deepEqual(complaintsAboutActs(root), []);
});

test('goes red: an act, a script and a document that package.json does not know', async t => {
	await using context = await isolated();
	writeTree(context.root, {
		'package.json': JSON.stringify({scripts: {testbed: 'node scripts/run.cjs testbed', test: 'node scripts/run.cjs test'}}),
		'scripts/setup/acts.cjs': 'exports.acts = {testbed: {}, test: {}, orphan: {}};',
		'scripts/lonely.mjs': '',
		'README.md': 'Say `npm test` or `npm run -s testbed`, never `npm run nonsense`.',
	});
	const complaints = complaintsAboutActs(context.root);
	t.is(complaints.length, 3);
	for (const [index, word] of ['orphan', 'lonely.mjs', 'nonsense'].entries()) {
		t.true(complaints[index]!.includes(word), complaints[index]);
	}
});

const programs = fs.readdirSync(path.join(root, 'scripts'), {withFileTypes: true})
	.filter(entry => entry.isFile() && !['testbed.cjs', 'doctor'].includes(entry.name)).map(({name}) => name);

for (const name of programs) {
	test(`scripts/${name} --help says how it is used`, async t => {
		const interpreter = name.endsWith('.sh') ? 'sh' : process.execPath;
		const {stdout} = await execa(interpreter, [path.join(root, 'scripts', name), '--help'], {stdin: 'ignore'});
		t.true(stdout.startsWith('Usage: '));
	});
}
