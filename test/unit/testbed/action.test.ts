/** The action for GitHub and the component for GitLab: their inputs, their command, and the files of GitHub against GitHub's own parser. */

import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {pathToFileURL} from 'node:url';
import test from 'ava';
import {build} from 'esbuild';
import {execa} from 'execa';
import fc from 'fast-check';
import {dir} from 'tmp-promise';
import {parse, parseAllDocuments} from 'yaml';
import {knownToCommandLine} from '../../../testbed/cli/main.js';
import {isLeftOut} from '../../helpers/left-out.js';
import {complaintsAboutPins} from '../../helpers/workflows.js';
import {root} from '../scripts/_setup.js';

type Inputs = Readonly<Record<string, string>>;
type Command = {
	inputNames: readonly string[];
	readInputs: (env: Readonly<Record<string, string | undefined>>) => Inputs;
	argumentsFor: (inputs: Inputs) => readonly string[];
	outcomeOf: (status: number) => string;
	asRoot: (words: readonly string[], given: {uid: number; path: string}) => readonly string[];
};

const {inputNames, readInputs, argumentsFor, outcomeOf, asRoot} = await import(path.join(root, 'scripts/action/command.mjs')) as Command;

const text = (file: string): string => fs.readFileSync(path.join(root, file), 'utf8');
const action = parse(text('action.yml')) as {inputs: Readonly<Record<string, object>>; runs: {steps: ReadonlyArray<{env?: Inputs}>}};

const nothing = readInputs({});
const argumentsWith = (inputs: Inputs): readonly string[] => argumentsFor({...nothing, ...inputs});

test('action.yml passes on every input, and the script reads each', t => {
	const passed = Object.assign({}, ...action.runs.steps.map(({env}) => env ?? {})) as Inputs;
	t.deepEqual(passed, Object.fromEntries(inputNames.map(name => [`TESTBED_ACTION_${name.toUpperCase()}`, `\${{ inputs.${name} }}`])));
	t.deepEqual(Object.keys(action.inputs), [...inputNames, 'cache']);
	t.deepEqual(readInputs(Object.fromEntries(Object.keys(passed).map(name => [name, ` ${name} \n`]))), Object.fromEntries(inputNames.map(name => [name, `TESTBED_ACTION_${name.toUpperCase()}`])));
});

test('without inputs: the six types, as annotations', t => {
	t.deepEqual(argumentsWith({}), ['run', '--format=github']);
});

test('scenarios, a manifest, reports and further arguments', t => {
	t.deepEqual(
		argumentsWith({
			pod: 'pod.yaml', scenarios: 'a.yaml\n\n  more/ \n', reports: 'junit=out.xml\nhtml=my page.html', arguments: '--timeout=9000', backend: 'all', family: 'both',
		}),
		['run', '--rules=pod:pod.yaml', '--backend=all', '--family=both', '--format=github', '--output=junit=out.xml', '--output=html=my page.html', '--timeout=9000', 'a.yaml', 'more/'],
	);
});

test('a baseline, with rules of both families or with those that it names', t => {
	t.deepEqual(argumentsWith({baseline: 'baseline.json', rules: 'my.rules', rules6: 'my6.rules'}), ['baseline', 'check', '--rules6=my6.rules', '--format=github', 'baseline.json', 'my.rules']);
	t.deepEqual(argumentsWith({baseline: 'baseline.json'}), ['baseline', 'check', '--format=github', 'baseline.json']);
});

for (const [inputs, message] of [
	[{rules: 'a', pod: 'b'}, /Both `rules` and `pod`/u],
	[{baseline: 'a', scenarios: 'b'}, /Both `baseline` and `scenarios`/u],
	[{reports: 'junit=a.xml\na.xml'}, /`reports` has the line "a\.xml"/u],
	[{reports: 'junit='}, /`reports` has the line "junit="/u],
] as const) {
	test(`refused: ${JSON.stringify(inputs)}`, t => {
		t.throws(() => argumentsWith(inputs), {message});
	});
}

test('whatever stands in an input is one argument, and no option of its own', t => {
	t.notThrows(() => {
		fc.assert(fc.property(fc.string({minLength: 1}).map(value => value.trim()).filter(Boolean), value => {
			const given = argumentsWith({rules: value, backend: value});
			return given.length === 4 && given[1] === `--rules=${value}` && given[2] === `--backend=${value}`;
		}));
	});
});

test('every option of the command is one that testbed has', t => {
	const {options, commands} = knownToCommandLine();
	const known = new Set([...options].map(({long}) => long));
	const all = Object.fromEntries(inputNames.map(name => [name, 'junit=x']));
	for (const given of [argumentsFor({...all, pod: '', baseline: ''}), argumentsFor({...all, pod: '', scenarios: ''})]) {
		t.deepEqual(given.filter(word => word.startsWith('--') && !known.has(word.replace(/=.*$/u, ''))), []);
		t.true(commands.has(given[0] === 'run' ? 'run' : `${given[0]} ${given[1]}`));
	}
});

test('an exit status in a word, and root\'s rights', t => {
	t.deepEqual([0, 1, 2, 3, 4, 143].map(status => outcomeOf(status)), ['passed', 'failed', 'usage', 'inconclusive', 'machine', 'ended']);
	t.deepEqual(asRoot(['node', 'x'], {uid: 0, path: '/bin'}), ['node', 'x']);
	t.deepEqual(asRoot(['node', 'x'], {uid: 1000, path: '/own:/bin'}), ['sudo', '--preserve-env=GITHUB_STEP_SUMMARY,CI', 'env', 'PATH=/own:/bin', 'node', 'x']);
});

test('the step writes its outputs, and says what contradicts', async t => {
	await using folder = await temporaryFolder();
	const output = path.join(folder.path, 'output');
	const run = async (step: string, env: Inputs) => execa(process.execPath, [path.join(root, 'scripts/action/step.mjs'), step], {env: {...env, GITHUB_OUTPUT: output}, reject: false});
	const refused = await run('run', {TESTBED_ACTION_RULES: 'a', TESTBED_ACTION_POD: 'b'});
	t.is(refused.exitCode, 2);
	t.regex(refused.stdout, /^::error title=testbed::Both `rules` and `pod` are set\./u);
	t.is(fs.readFileSync(output, 'utf8'), 'status=2\noutcome=usage\n');
	const helped = await run('--help', {});
	t.is(helped.exitCode, 0);
	const unknown = await run('walk', {});
	t.is(unknown.exitCode, 2);
	fs.rmSync(output);
	await run('key', {});
	const first = fs.readFileSync(output, 'utf8');
	t.regex(first, /^path=\/.*\nkey=testbed-\d+\.\d+\.\d+-linux-\w+-node[\d.]+-[\da-f]{16}\n$/u);
	await run('key', {});
	t.is(fs.readFileSync(output, 'utf8'), `${first}${first}`);
});

async function temporaryFolder() {
	const folder = await dir({unsafeCleanup: true});
	return {path: folder.path, [Symbol.asyncDispose]: folder.cleanup};
}

// GitHub's own parser, which the editor extension for workflows uses, brings the schemas along.
type Parsed = {readonly context: {readonly errors: {getErrors: () => ReadonlyArray<{readonly message: string}>}}};
type Parse = (file: {name: string; content: string}, trace: object) => Parsed;

/** Both parsers in one file. As they are published, Node cannot import them: they import JSON without saying so (0.3.61), which only bundlers take. */
async function githubParsers(): Promise<Readonly<Record<'action' | 'workflow', Parse>> & {readonly Trace: new () => object}> {
	await using folder = await temporaryFolder();
	const from = path.join(root, 'examples/node_modules/@actions/workflow-parser/dist');
	const contents = `export {NoOperationTraceWriter as Trace} from '${from}/index.js'; export {parseAction as action} from '${from}/actions/action-parser.js'; export {parseWorkflow as workflow} from '${from}/workflows/workflow-parser.js';`;
	const outfile = path.join(folder.path, 'parsers.cjs');
	await build({
		stdin: {contents, resolveDir: from}, outfile, bundle: true, format: 'cjs', platform: 'node', logLevel: 'silent',
	});
	return await import(pathToFileURL(outfile).href) as Awaited<ReturnType<typeof githubParsers>>;
}

/** What GitHub has to say against a file. */
async function complaintsOfGithub(kind: 'action' | 'workflow', content: string): Promise<readonly string[]> {
	parsers ??= githubParsers();
	const {[kind]: parseFile, Trace} = await parsers;
	return parseFile({name: kind, content}, new Trace()).context.errors.getErrors().map(({message}) => message);
}

let parsers: ReturnType<typeof githubParsers> | undefined;

const workflows = ['.github/workflows/ci.yml', '.github/workflows/release.yml', 'examples/github-actions.yml', 'examples/github-actions-baseline.yml', 'examples/github-actions-shards.yml', 'examples/github-actions-action.yml'];

test('GitHub\'s own parser takes action.yml and every workflow', async t => {
	if (isLeftOut(t, {tree: 'examples'})) {
		return;
	}

	t.deepEqual(await complaintsOfGithub('action', text('action.yml')), []);
	for (const file of workflows) {
		t.deepEqual(await complaintsOfGithub('workflow', text(file)), [], file); // eslint-disable-line no-await-in-loop -- One after the other.
	}
});

test('and refuses them with a mistake', async t => {
	if (isLeftOut(t, {tree: 'examples'})) {
		return;
	}

	for (const [from, to] of [['using: composite', 'using: composit'], ['shell: bash\n      run: sudo', 'run: sudo'], ['inputs.rules }}', 'inputs.rules'], ['      uses: actions', '      use: actions']] as const) {
		t.true(text('action.yml').includes(from));
		const complaints = await complaintsOfGithub('action', text('action.yml').replace(from, to)); // eslint-disable-line no-await-in-loop -- As above.
		t.not(complaints.length, 0, to);
	}

	const complaints = await complaintsOfGithub('workflow', text(workflows[5]!).replace('runs-on', 'run-on'));
	t.not(complaints.length, 0);
});

test('the action pins what it uses', t => {
	t.deepEqual(complaintsAboutPins(text('action.yml')), []);
});

test('the component uses every input that it has, and no other', t => {
	const [head] = parseAllDocuments(text('templates/sidecar-traffic.yml'));
	const {spec: {inputs}} = head!.toJS() as {spec: {inputs: Readonly<Record<string, {default: unknown}>>}};
	const used = [...text('templates/sidecar-traffic.yml').matchAll(/\$\[\[ inputs\.(?<name>\w+) \]\]/gu)].map(({groups}) => groups!['name']!);
	t.deepEqual([...new Set(used)].toSorted(), Object.keys(inputs).toSorted());
	t.true(Object.values(inputs).every(input => input.default !== undefined));
	const {include} = parse(text('examples/gitlab-ci-component.yml')) as {include: ReadonlyArray<{inputs: object}>};
	t.deepEqual(include.flatMap(({inputs: given}) => Object.keys(given)).filter(name => !(name in inputs)), []);
});
