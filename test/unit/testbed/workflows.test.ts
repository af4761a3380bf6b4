import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {formats} from '../../../testbed/cli/parsers.js';
import {
	commandsOf, complaintsAboutCommand, knownIn, readYaml,
} from '../../helpers/workflows.js';

const root = process.cwd();
const script = 'import process from \'node:process\'; import {main} from \'./dist/testbed/cli/main.js\'; process.exitCode = await main(process.argv.slice(1));';

async function optionsOf(command: string): Promise<readonly string[]> {
	const {stdout} = await execa(process.execPath, ['--input-type=module', '-e', script, command, '--help']);
	return [...stdout.matchAll(/^ {2}(?:-\w, )?(?<option>--[\w-]+)/gmu)].map(({groups}) => groups!['option']!);
}

const known = knownIn(root, {run: await optionsOf('run'), probe: await optionsOf('probe'), rules: await optionsOf('rules')});

type Job = Readonly<Record<string, unknown>>;

test('the options are read off the help', t => {
	t.true(known.options['run']!.includes('--format'));
	t.true(known.options['run']!.length > 15);
});

for (const [file, least] of [['examples/github-actions.yml', 5], ['examples/gitlab-ci.yml', 4], ['.github/workflows/ci.yml', 1]] as const) {
	test(`${file} names commands and options that exist`, t => {
		const commands = commandsOf(readYaml(path.join(root, file)));
		t.true(commands.length >= least);
		t.deepEqual(commands.flatMap(command => complaintsAboutCommand(command, known)), []);
		const named = commands.flatMap(command => /--format (?<format>\S+)/u.exec(command)?.groups?.['format'] ?? []);
		t.true(named.every(format => (formats as readonly string[]).includes(format)));
		const folders = commands.flatMap(command => /-- run (?<folder>\S+)/u.exec(command)?.groups?.['folder'] ?? []);
		t.true(folders.every(folder => existsSync(path.join(root, folder))));
	});
}

for (const file of ['examples/github-actions.yml', '.github/workflows/ci.yml']) {
	test(`${file} has jobs with a runner and steps, and may write nothing`, t => {
		const {on, permissions, jobs} = readYaml(path.join(root, file)) as {on: Job; permissions: Job; jobs: Record<string, Job>};
		t.deepEqual(Object.keys(on), ['push', 'pull_request']);
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
	const annotating = commandsOf(readYaml(path.join(root, 'examples/github-actions.yml'))).filter(command => command.includes('--format github'));
	t.true(annotating.length > 0);
	t.true(annotating.every(command => command.startsWith('sudo --preserve-env=GITHUB_STEP_SUMMARY ')));
});

test('gitlab: every job writes the report that is collected, even when it fails', t => {
	const document = readYaml(path.join(root, 'examples/gitlab-ci.yml')) as Record<string, Job>;
	const {'.testbed': shared, ...jobs} = document;
	const {when, reports} = shared!['artifacts'] as {when: string; reports: {junit: string}};
	t.is(when, 'always');
	for (const job of Object.values(jobs)) {
		t.is(job['extends'], '.testbed');
		t.true(commandsOf(job).every(command => command.endsWith(`--format junit --output ${reports.junit}`)));
	}
});

test('the commands are those of the README', t => {
	const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
	for (const file of ['examples/github-actions.yml', 'examples/gitlab-ci.yml']) {
		t.true(readme.includes(`(${file})`));
		for (const command of commandsOf(readYaml(path.join(root, file)))) {
			const [act] = /(?:sh scripts\/\S+|npm run (?:-s )?\w+)/u.exec(command) ?? [];
			t.true(act !== undefined && readme.includes(`\`${act}`), command);
		}
	}
});

for (const [line, complaint] of [
	['sudo npm run tesbed', /npm run tesbed does not exist/u],
	['npm run -s testbed -- walk', /testbed walk does not exist/u],
	['npm run -s testbed -- run scenarios/ --formt junit', /testbed run has no --formt/u],
	['npm run -s testbed -- --formt=junit', /testbed run has no --formt/u],
	['npm run -s testbed -- probe --types 1', /testbed probe has no --types/u],
	['sh scripts/provide.sh', /there is no script/u],
	['apt-get install iptables', /apt-get is no program of the README/u],
] as const) {
	test(`goes red: ${line}`, t => {
		t.regex(complaintsAboutCommand(line, known).join('\n'), complaint);
	});
}

test('commands are found wherever they stand', t => {
	t.deepEqual(commandsOf({jobs: {a: {steps: [{run: 'one\ntwo\n'}, {uses: 'x'}]}}, b: {script: ['three']}, c: {before_script: 'four'}}), ['one', 'two', 'three', 'four']);
});
