import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {formats} from '../../../testbed/cli/parsers.js';
import {
	commandsOf, complaintsAboutCommand, complaintsAboutPins, knownIn, readYaml,
} from '../../helpers/workflows.js';

const root = process.cwd();
const script = 'import process from \'node:process\'; import {main} from \'./dist/testbed/cli/main.js\'; process.exitCode = await main(process.argv.slice(1));';

async function optionsOf(...command: readonly string[]): Promise<readonly string[]> {
	const {stdout} = await execa(process.execPath, ['--input-type=module', '-e', script, '--', ...command, '--help']);
	return [...stdout.matchAll(/^ {2}(?:-\w, )?(?<option>--[\w-]+)/gmu)].map(({groups}) => groups!['option']!);
}

const known = knownIn(root, {
	run: await optionsOf('run'), probe: await optionsOf('probe'), rules: await optionsOf('rules'), doctor: await optionsOf('doctor'), kernels: await optionsOf('kernels'), 'baseline check': await optionsOf('baseline', 'check'),
});

type Job = Readonly<Record<string, unknown>>;

test('the options are read from the help', t => {
	t.true(known.options['run']!.includes('--format'));
	t.true(known.options['run']!.length > 15);
});

const own = ['.github/workflows/ci.yml', '.github/workflows/release.yml'] as const;
const shipped = ['examples/github-actions.yml', 'examples/github-actions-baseline.yml', 'examples/github-actions-action.yml'] as const;

for (const [file, least] of [['examples/github-actions-action.yml', 0], ['examples/github-actions.yml', 4], ['examples/github-actions-baseline.yml', 3], ['examples/gitlab-ci.yml', 4], ['.github/workflows/ci.yml', 10], ['.github/workflows/release.yml', 2]] as const) {
	test(`${file} names commands and options that exist`, t => {
		const commands = commandsOf(readYaml(path.join(root, file)));
		t.true(commands.length >= least);
		t.deepEqual(commands.flatMap(command => complaintsAboutCommand(command, known)), []);
		const named = commands.flatMap(command => [...command.matchAll(/--format (?<format>\S+)|--output (?<further>[a-z]+)=/gu)].map(({groups}) => groups!['format'] ?? groups!['further']!));
		t.true(named.every(format => (formats as readonly string[]).includes(format)));
		const folders = commands.flatMap(command => /testbed run (?<folder>\S+)/u.exec(command)?.groups?.['folder'] ?? []);
		t.true(folders.every(folder => existsSync(path.join(root, folder))));
	});
}

for (const file of [...shipped, ...own]) {
	test(`${file} has jobs with a runner and steps, has no write permission, and pins its actions`, t => {
		const {on, permissions, jobs} = readYaml(path.join(root, file)) as {on: Job; permissions: Job; jobs: Record<string, Job>};
		t.deepEqual(Object.keys(on), ['push', file.endsWith('release.yml') ? 'workflow_dispatch' : 'pull_request']);
		t.deepEqual(complaintsAboutPins(readFileSync(path.join(root, file), 'utf8')), []);
		t.deepEqual(permissions, {contents: 'read'});
		for (const job of Object.values(jobs)) {
			t.is(job['runs-on'], 'ubuntu-24.04');
			for (const step of job['steps'] as readonly Job[]) {
				t.is(Object.keys(step).filter(key => key === 'run' || key === 'uses').length, 1);
			}
		}
	});
}

test('what is annotated gets its summary past sudo', t => {
	const annotating = shipped.flatMap(file => commandsOf(readYaml(path.join(root, file)))).filter(command => command.includes('--format github'));
	t.true(annotating.length > 0);
	t.true(annotating.every(command => command.startsWith('sudo --preserve-env=GITHUB_STEP_SUMMARY ')));
});

test('gitlab: every job writes the report that is collected, even if it fails', t => {
	const document = readYaml(path.join(root, 'examples/gitlab-ci.yml')) as Record<string, Job>;
	const {'.testbed': shared, ...jobs} = document;
	const {when, reports} = shared!['artifacts'] as {when: string; reports: {junit: string}};
	t.is(when, 'always');
	for (const job of Object.values(jobs)) {
		t.is(job['extends'], '.testbed');
		t.true(commandsOf(job).every(command => command.endsWith(`--output junit=${reports.junit}`)));
	}
});

test('docs/ci.md links every example, and names every command of them', t => {
	const page = readFileSync(path.join(root, 'docs/ci.md'), 'utf8');
	for (const file of [...shipped, 'examples/gitlab-ci.yml']) {
		t.true(page.includes(`(../${file})`));
		for (const command of commandsOf(readYaml(path.join(root, file)))) {
			const [act] = /(?:scripts\/[\w.]+|npm run \w+|bin\/testbed)/u.exec(command) ?? [];
			t.true(act !== undefined && page.includes(act), command);
		}
	}
});

test('CI is in parts: lint, unit tests without root on four lines of Node, kernel tests as root', t => {
	const {jobs} = readYaml(path.join(root, own[0])) as {jobs: Record<string, Job>};
	const commands = Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, commandsOf(job)]));
	t.true(commands['lint']!.includes('npm run lint'));
	t.true(commands['unit']!.includes('npm run test:unit'));
	t.deepEqual((jobs['unit']!['strategy'] as {matrix: unknown}).matrix, {node: [20, 22, 24, 26]});
	t.true(commands['kernel']!.some(command => /^sudo .*npm run test:kernel$/u.test(command)));
});

for (const [line, complaint] of [
	['sudo npm run tesbed', /npm run tesbed does not exist/u],
	['npm run -s testbed -- walk', /testbed walk does not exist/u],
	['npm run -s testbed -- run scenarios/ --formt junit', /testbed run has no --formt/u],
	['npm run -s testbed -- --formt=junit', /testbed run has no --formt/u],
	['npm run -s testbed -- probe --types 1', /testbed probe has no --types/u],
	['sh scripts/provide.sh', /there is no script/u],
	['sh testbed/scripts/provide.sh', /there is no script/u],
	['bin/testbed walk', /testbed walk does not exist/u],
	['testbed/bin/testbed baseline check x --formt junit', /testbed baseline check has no --formt/u],
	['bin/testbed baseline verify x', /testbed baseline verify does not exist/u],
	['apt-get install iptables', /would ask somebody/u],
	['yum install iptables', /yum is not a program of the documents/u],
] as const) {
	test(`goes red: ${line}`, t => {
		t.regex(complaintsAboutCommand(line, known).join('\n'), complaint);
	});
}

for (const action of ['actions/checkout@v4', 'actions/checkout@main', 'actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683', 'actions/checkout@11bd719 # v4.2.2']) {
	test(`goes red: uses: ${action}`, t => {
		t.is(complaintsAboutPins(`    steps:\n      - uses: ${action}\n      - name: x\n        uses: a/b@11bd71901bbe5b1630ceea73d27597364c9af683 # v1.0.0\n`).length, 1);
	});
}

test('commands are found anywhere in a file', t => {
	t.deepEqual(commandsOf({jobs: {a: {steps: [{run: 'one\ntwo\n'}, {uses: 'x'}]}}, b: {script: ['three']}, c: {before_script: 'four'}}), ['one', 'two', 'three', 'four']);
});
