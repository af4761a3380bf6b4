/** The library as users have it: packed, installed next to the test runner of their choice, and called. */

import {
	cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {
	classesOf, compare, loadRules, openSandbox, parseRules, createBaseline, runTypes, TestbedError, verificationOutcome, checkBaseline,
} from '../../testbed/index.js';
import {isLeftOut} from '../helpers/left-out.js';
import {newest} from '../helpers/releases.js';
import {defaultDump, systemPath, without} from './_run.js';

const root = path.resolve('.');
const own = JSON.parse(readFileSync('package.json', 'utf8')) as {readonly name: string; readonly dependencies: Readonly<Record<string, string>>};
const broken = without(defaultDump(), '-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN');

/** A project of somebody else in a temporary folder. What npm would download is linked from here, package by package; ours is what `npm pack` makes. */
async function project(t: ExecutionContext): Promise<string> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	// The build stands: tests run compiled. What is packed is what `files` says.
	await execa('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {cwd: root});
	const modules = path.join(folder, 'node_modules');
	mkdirSync(path.join(modules, own.name), {recursive: true});
	await execa('tar', ['-xzf', path.join(folder, `${own.name}-0.1.0.tgz`), '-C', path.join(modules, own.name), '--strip-components=1']);
	const linked = [...Object.keys(own.dependencies), 'ava', 'typescript', '@types/node'].map(name => ({name, from: 'node_modules'}));
	for (const {name, from} of [...linked, {name: 'vitest', from: 'examples/node_modules'}]) {
		mkdirSync(path.dirname(path.join(modules, name)), {recursive: true});
		symlinkSync(path.join(root, from, name), path.join(modules, name));
	}

	writeFileSync(path.join(folder, 'package.json'), JSON.stringify({name: 'theirs', type: 'module'}));
	writeFileSync(path.join(folder, 'broken.rules'), broken);
	return folder;
}

const runners = [
	{name: 'ava', command: ['node_modules/ava/entrypoints/cli.mjs', 'ava.test.js']},
	{name: 'vitest', command: ['node_modules/vitest/vitest.mjs', 'run', 'vitest.test.js']},
	{name: 'node', command: ['--test', 'node.test.js']},
];

for (const {name, command} of runners) {
	test(`the example for ${name} passes with a release, and a broken dump makes it fail`, async t => {
		if (name === 'vitest' && isLeftOut(t, {tree: 'examples'})) {
			return;
		}

		const folder = await project(t);
		cpSync(path.join(folder, 'node_modules', own.name, 'examples', `${name}.test.js`), path.join(folder, `${name}.test.js`));
		const run = async (rules: string) => execa(process.execPath, command, {
			cwd: folder, reject: false, all: true, env: {
				PATH: systemPath, RULES: rules, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, CI: 'true', NO_COLOR: '1', FORCE_COLOR: undefined,
			},
		});
		const good = await run('release:1.30');
		t.is(good.exitCode, 0, `${name}:\n${good.all}`);
		t.regex(good.all, {ava: /4 tests passed/u, vitest: /Tests +4 passed/u, node: /# pass 2|ℹ pass 2/u}[name]!);
		const bad = await run('broken.rules');
		t.is(bad.exitCode, 1, `${name}:\n${bad.all}`);
		t.regex(bad.all, /direct/u);
	});
}

test('the package has the pure part without the kernel, types for both, and the program', async t => {
	const folder = await project(t);
	writeFileSync(path.join(folder, 'pure.js'), `
import {newestRelease, parseReleaseInput, sidecarRuleSet} from '${own.name}';
console.log(newestRelease.name);
`);
	// Whoever only thinks loads nothing that needs Linux: without the packages that reach the kernel it still runs.
	const pure = await execa(process.execPath, ['--import', 'data:text/javascript,import {register} from \'node:module\'; register(\'data:text/javascript,export async function resolve(name, context, next) { if (/koffi|execa|node:child_process/u.test(name)) { throw new Error("asked for " + name); } return next(name, context); }\');', 'pure.js'], {cwd: folder, reject: false});
	t.deepEqual([pure.exitCode, pure.stdout], [0, newest], pure.stderr);

	writeFileSync(path.join(folder, 'theirs.ts'), `
import {openSandbox, parseRules, compare, checkBaseline, type ProbeAnswer} from '${own.name}/kernel';
import {describeRole, type RuleSet} from '${own.name}';
export async function ask(): Promise<ProbeAnswer> {
	await using sandbox = await openSandbox(parseRules('*nat\\nCOMMIT\\n'));
	const held: RuleSet = sandbox.ruleSet;
	void [held, describeRole, compare, checkBaseline];
	return sandbox.probe({to: 'remote:8080', from: 'app'});
}
// @ts-expect-error -- There is no such actor.
export const wrong = async () => (await openSandbox()).probe({to: 'remote:8080', from: 'nobody'});
`);
	const types = await execa(process.execPath, ['node_modules/typescript/bin/tsc', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,esnext.disposable', '--types', 'node', 'theirs.ts'], {cwd: folder, reject: false});
	t.is(types.exitCode, 0, types.stdout);
	writeFileSync(path.join(folder, 'ask.js'), 'import {ask} from \'./theirs.js\';\nconst {stops} = await ask();\nconsole.log(stops.join(\' \'));\n');
	const asked = await execa(process.execPath, ['ask.js'], {cwd: folder, reject: false, env: {PATH: systemPath}});
	t.deepEqual([asked.exitCode, asked.stdout], [0, 'remote:8080'], asked.stderr);

	const program = await execa(process.execPath, [path.join('node_modules', own.name, 'bin/testbed'), 'run', '--types', '2'], {cwd: folder, reject: false, env: {PATH: systemPath}});
	t.is(program.exitCode, 0, program.stderr);
	t.regex(program.stdout, /1 passed/u);
	const refused = await execa(process.execPath, [path.join('node_modules', own.name, 'bin/testbed'), 'rules', 'release:0.1'], {cwd: folder, reject: false});
	t.is(refused.exitCode, 2);
});

test('a sandbox answers one probe, many, and several calls at once, each with its own answer', async t => {
	await using sandbox = await openSandbox('release:1.30');
	t.deepEqual(await sandbox.probeAll([]), []);
	const asked = [{to: 'remote:8080'}, {to: 'remote:8080', uid: 1337}, {to: 'pod:8080', from: 'remote'}, {to: '[2001:db8:1::20]:8080'}] as const;
	const wanted = [['proxy:15001', 'remote:8080'], ['remote:8080'], ['proxy:15006', 'app:8080'], ['proxy:15001', 'remote:8080']];
	const answers = await Promise.all([...asked.map(async one => sandbox.probe(one)), sandbox.probe({to: 'remote:8080', proto: 'udp'})]);
	t.deepEqual(answers.map(({stops, gaps, outcome}) => [stops, gaps, outcome]), [...wanted.map(stops => [stops, [], 'delivered']), [[], [], 'refused']]);
	t.true(sandbox.ruleSet.tables.length > 0);
});

test('errors of a sandbox: an unknown key, another family, a closed sandbox', async t => {
	const sandbox = await openSandbox(parseRules(defaultDump()));
	t.teardown(async () => sandbox.close());
	await t.throwsAsync(sandbox.probeAll([{to: 'remote:8080'}, {to: 'nowhere'}]), {instanceOf: TestbedError, message: /^probe 2: "to" is "nowhere": it must be ADDRESS:PORT/u});
	await t.throwsAsync(sandbox.probe({to: 'remote:8080', user: 1} as never), {instanceOf: TestbedError, message: /^probe 1: "user" is not a key of a probe\./u});
	await t.throwsAsync(sandbox.probe({to: '[2001:db8:1::20]:8080'}), {instanceOf: TestbedError, message: /\(ipv6\), but the rules are for ipv4/u});
	const last = sandbox.probe({to: 'remote:8080'});
	await Promise.all([sandbox.close(), sandbox.close()]);
	const {stops} = await last;
	t.deepEqual(stops, ['proxy:15001', 'remote:8080']);
	await t.throwsAsync(sandbox.probe({to: 'remote:8080'}), {instanceOf: TestbedError, code: 'USAGE', message: 'This sandbox is closed.'});
	const transparent = await openSandbox('release:1.30 -m TPROXY');
	t.teardown(async () => transparent.close());
	const {stops: captured} = await transparent.probe({from: 'remote', to: 'pod:8080'});
	t.deepEqual(captured, ['proxy:15006', 'app:8080'], 'a transparent proxy is stood in for');
});

test('rules from text and by name, the types, a comparison, a baseline and classes', async t => {
	const rules = parseRules(broken, {name: 'ours'});
	const report = await runTypes(rules);
	t.true(report.types.some(({outcome}) => outcome.kind === 'fail'));
	t.is(report.rules.source, 'ours');
	const whole = await runTypes(loadRules(), {types: ['2']});
	t.deepEqual(whole.types.map(({outcome, family}) => [outcome.kind, family]), [['pass', 'ipv4'], ['pass', 'ipv6']]);

	const compared = await compare('release:1.30', rules);
	t.is(compared.outcome, 'moved');
	t.deepEqual(compared.families.map(({family}) => family), ['ipv4']);
	const same = await compare(parseRules(defaultDump()), loadRules('release:1.30', {families: ['ipv4']}), {paths: true});
	t.is(same.outcome, 'equal');

	const withDns = await createBaseline(loadRules('release:1.30 --redirect-dns', {families: ['ipv4'], dnsServers: ['10.96.0.11']}));
	t.deepEqual(withDns.rules.dnsServers, ['10.96.0.11']);
	const baseline = await createBaseline(parseRules(defaultDump()));
	const [kept, moved] = [await checkBaseline(baseline, 'release:1.30'), await checkBaseline(baseline, rules)];
	t.deepEqual([kept, moved].map(each => verificationOutcome(each)), ['same', 'moved']);
	t.is(classesOf(['release:1.30']).classes.length, 19);

	t.throws(() => parseRules('*nat\n-A NOWHERE -j ACCEPT\nCOMMIT\n'), {instanceOf: TestbedError, code: 'INPUT'});
	t.throws(() => loadRules('release:all'), {instanceOf: TestbedError, code: 'USAGE'});
	await t.throwsAsync(compare(loadRules('release:1.30', {families: ['ipv6']}), rules), {instanceOf: TestbedError, message: /^There is nothing to compare: release:1\.30 covers ipv6, but ours covers ipv4\.$/u});
	const both = await createBaseline('release:1.30');
	const part = await checkBaseline(both, parseRules(defaultDump()), {families: ['ipv4'], stopsOnly: true});
	t.is(verificationOutcome(part), 'same');
	await t.throwsAsync(checkBaseline(both, rules), {instanceOf: TestbedError, message: /^The baseline covers ipv4 and ipv6, but ours has no ipv6 rules\.$/u});
	await t.throwsAsync(createBaseline(rules, {traceBufferBytes: 1}), {instanceOf: TestbedError, message: /^Nothing was recorded because evidence is missing: /u});
	await t.throwsAsync(checkBaseline('/nowhere/baseline.json', rules), {instanceOf: TestbedError, code: 'INPUT', message: /^The baseline cannot be read: \/nowhere\/baseline\.json: no such file\.$/u});
});
