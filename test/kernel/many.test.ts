/** Many rule sets in one run: every release, several back ends, and what happens if one of them cannot run. */

import {existsSync} from 'node:fs';
import test from 'ava';
import {releaseLines} from '../../src/istio/releases.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {reuseKey, type ActorSandbox} from '../../testbed/run/actor-sandbox.js';
import {runMany} from '../../testbed/run/run-many.js';
import {SandboxPool} from '../../testbed/run/sandbox-pool.js';
import {testbed, type JsonReport} from './_cli.js';
import {optionsOf, outcomesOf} from './_run.js';

type JsonRuns = {readonly version: number; readonly runs: ReadonlyArray<JsonReport & {readonly unavailable?: string}>; readonly summary: JsonReport['summary']};

test('the six types over all default releases, both back ends of iptables', async t => {
	const {exitCode, stdout, stderr} = await testbed(['run', '--rules', 'release:all', '--format', 'json']);
	const {version, runs, summary} = JSON.parse(stdout) as JsonRuns;
	t.is(version, 2);
	t.is(runs.length, 2 * releaseLines.length);
	t.deepEqual(runs.flatMap(({rules, types}) => types.filter(({outcome}) => outcome !== 'pass').map(({id, outcome}) => `${rules.release} ${rules.backend}: type ${id} ${outcome}`)), []);
	t.deepEqual(summary, {passed: runs.length * 6, failed: 0, inconclusive: 0});
	t.is(exitCode, 0, stderr);
	t.is(new Set(runs.map(({rules}) => `${rules.release} ${rules.backend}`)).size, runs.length);
	t.true(runs.every(({types}) => types.find(({id}) => id === '4')?.stops.join(' ') === 'proxy:15001 proxy:15006 app:8080'));
});

test('releases without native nftables are reported as not available, and do not affect the result', async t => {
	const {exitCode, stdout} = await testbed(['run', '--rules', 'release:all', '--backend', 'nftables', '--types', '1,2', '--format', 'json']);
	const {runs} = JSON.parse(stdout) as JsonRuns;
	const missing = runs.filter(({unavailable}) => unavailable !== undefined);
	t.deepEqual(missing.map(({rules}) => rules.release), releaseLines.filter(({features}) => !features.nativeNftables).map(({name}) => name));
	t.true(missing.length > 0 && missing.length < runs.length);
	t.is(missing[0]?.unavailable, 'It writes no native nftables rules; the first release that does is 1.27.');
	t.is(exitCode, 0);
});

test('a set that the kernel rejects is reported separately, and the others continue', async t => {
	const input = loadRuleInput({source: 'release:1.30', families: ['ipv4']});
	const bad = {...input, source: 'bad', allowedModules: ['nosuchmatch'], ruleSet: parseSave('*nat\n-A OUTPUT -m nosuchmatch -j RETURN\nCOMMIT\n', 'ipv4')};
	const entries = await runMany([input, bad, input, input].map(rules => optionsOf({rules, types: ['2']})), {jobs: 2});
	t.deepEqual(entries.map(({kind, source}) => `${kind} ${source}`), ['report release:1.30', 'rejected bad', 'report release:1.30', 'report release:1.30']);
	t.deepEqual(entries.flatMap(entry => entry.kind === 'report' ? Object.values(outcomesOf(entry.report)) : []), ['pass', 'pass', 'pass']);
});

type Pools = {readonly from?: SandboxPool; readonly into?: SandboxPool};

/** Does one run; what it ended in, the processes that listened in it, and their sandbox as the pool knows it. */
async function runWith(variation: Parameters<typeof optionsOf>[0], pools: Pools) {
	const pids: number[] = [];
	const options = optionsOf({
		types: ['2'], ...variation, onActors(actors) {
			pids.push(...[...actors.values()].flatMap(({pid}) => pid === undefined ? [] : [pid]));
		},
	});
	const [entry] = await runMany([options], {jobs: 1, ...pools});
	const {rules} = options;
	return {ended: entry!.kind === 'report' ? Object.values(outcomesOf(entry!.report)).join(' ') : entry!.kind, pids, use: {key: reuseKey({...options, mesh: rules.mesh, intent: rules.intent}), backend: rules.backend}};
}

test('a sandbox is kept for later runs of the same actors, and removed with the pool', async t => {
	const pool = new SandboxPool();
	const first = await runWith({}, {into: pool});
	t.is(first.ended, 'pass');
	t.true(first.pids.length > 0 && first.pids.every(pid => existsSync(`/proc/${pid}`)));
	const second = await runWith({backend: 'iptables-legacy'}, {from: pool, into: pool});
	t.deepEqual([second.ended, second.pids], ['pass', first.pids]);
	const other = await runWith({credentials: {app: {uid: 4321, gid: 4321}}}, {from: pool, into: pool});
	t.is(other.ended, 'pass');
	t.false(other.pids.some(pid => first.pids.includes(pid)));
	await pool[Symbol.asyncDispose]();
	t.deepEqual([...first.pids, ...other.pids].filter(pid => existsSync(`/proc/${pid}`)), []);
});

test('without a pool for it, a sandbox is removed; one in which rules were rejected is never kept', async t => {
	await using pool = new SandboxPool();
	const {pids} = await runWith({}, {from: pool});
	t.deepEqual(pids.filter(pid => existsSync(`/proc/${pid}`)), []);
	const input = loadRuleInput({source: 'release:1.30', families: ['ipv4']});
	const bad = {...input, allowedModules: ['nosuchmatch'], ruleSet: parseSave('*nat\n-A OUTPUT -m nosuchmatch -j RETURN\nCOMMIT\n', 'ipv4')};
	const rejected = await runWith({rules: bad}, {into: pool});
	t.is(rejected.ended, 'rejected');
	t.is(pool.take(rejected.use), undefined);
});

test('a pool holds a few sandboxes, and removes the one that has waited longest', async t => {
	await using pool = new SandboxPool();
	const removed: number[] = [];
	for (let number = 0; number < 10; number++) {
		// The pool only disposes of it.
		const sandbox = {
			async [Symbol.asyncDispose]() {
				removed.push(number);
			},
		} as unknown as ActorSandbox;
		await pool.keep(sandbox, {key: String(number), backend: 'iptables-nft'}); // eslint-disable-line no-await-in-loop -- One after the other is what is tried.
	}

	t.deepEqual(removed, [0, 1]);
	t.is(pool.take({key: '1', backend: 'iptables-nft'}), undefined);
	t.not(pool.take({key: '2', backend: 'iptables-nft'}), undefined);
	t.is(pool.take({key: '2', backend: 'iptables-nft'}), undefined);
});

test('an error that concerns all sets ends the whole run', async t => {
	const controller = new AbortController();
	controller.abort(new Error('enough'));
	await t.throwsAsync(async () => runMany([optionsOf({signal: controller.signal}), optionsOf({signal: controller.signal})], {jobs: 2}), {message: 'enough'});
});

test('several runs cannot be kept with --keep', async t => {
	const {exitCode, stderr} = await testbed(['run', '--backend', 'iptables-nft,iptables-legacy', '--keep']);
	t.is(exitCode, 2);
	t.regex(stderr, /--keep works with a single run only, and this command line asks for several[\s\S]*Name one release and one back end/u);
});

test('a command that is refused while the thread of the rule tools starts keeps its status', async t => {
	// The thread must not be ended in the middle of a call, which aborts the process (one of 15 without that).
	for (let round = 0; round < 8; round++) {
		const ends = await Promise.all(Array.from({length: 3}, async () => testbed(['run', '--backend', 'iptables-nft,iptables-legacy', '--keep']))); // eslint-disable-line no-await-in-loop -- As many at once as a small machine has processors, and one more.
		t.deepEqual(ends.map(({exitCode}) => exitCode), [2, 2, 2]);
	}
});

test('TPROXY of all releases: those that write it as it is today pass, the others are named', async t => {
	const {exitCode, stdout} = await testbed(['run', '--rules', 'release:all -m TPROXY', '--backend', 'iptables-nft', '--format', 'json']);
	const {runs} = JSON.parse(stdout) as JsonRuns;
	t.deepEqual(runs.filter(({unavailable}) => unavailable !== undefined).map(({rules}) => rules.release), ['1.5', '1.6', '1.7', '1.8']);
	t.deepEqual(runs.flatMap(({rules, types = []}) => types.filter(({outcome}) => outcome !== 'pass').map(({id}) => `${rules.release} ${id}`)), []);
	t.is(exitCode, 0);
});

test('DNS capture of all releases: those without the option refuse it and are named', async t => {
	const {exitCode, stdout} = await testbed(['run', '--rules', 'release:all --redirect-dns', '--backend', 'iptables-nft,iptables-legacy', '--format', 'json']);
	const {runs} = JSON.parse(stdout) as JsonRuns;
	const missing = runs.filter(({unavailable}) => unavailable !== undefined);
	t.deepEqual([...new Set(missing.map(({rules}) => rules.release))], ['1.5', '1.6', '1.7', '1.8']);
	t.is(missing.length, 8);
	t.regex(missing[0]?.unavailable ?? '', /^It rejects the options: --redirect-dns: unknown flag/u);
	t.deepEqual(runs.flatMap(({rules, types = []}) => types.filter(({outcome}) => outcome !== 'pass').map(({id}) => `${rules.release} ${rules.backend} ${id}`)), []);
	t.is(exitCode, 0);
});
