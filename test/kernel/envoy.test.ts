/** A real Envoy as the proxy: what it does by rules that are right, and that nothing passes when its evidence cannot be trusted. Where there is no Envoy, each test says so; in CI they fail then. */

import {readFileSync} from 'node:fs';
import process from 'node:process';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {execaNode} from 'execa';
import {file as temporaryFile} from 'tmp-promise';
import {addressFamilies} from '../../src/mesh/topology.js';
import {typeIds} from '../../src/istio/traffic/six-types.js';
import type {Report} from '../../src/report/run/types.js';
import type {Actor} from '../../testbed/actors/actor.js';
import {envoyProxy, type EnvoyFaults, type LogDamage} from '../../testbed/actors/envoy/process.js';
import {askAccepted, askStarted} from '../../testbed/actors/envoy/admin.js';
import {adminSocket} from '../../testbed/actors/envoy/bootstrap.js';
import type {Proxy} from '../../testbed/actors/proxy.js';
import {TestbedError} from '../../testbed/errors.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {calls, sockCloexec, sockStream} from '../../testbed/syscalls/socket-calls.js';
import {proxyCases} from '../../testbed/conformance/proxy/cases.js';
import {compareCases, compareWithStub, summarize} from '../../testbed/conformance/proxy/conform.js';
import {envoyForTests, isLeftOut} from '../helpers/left-out.js';
import {
	outcomesOf, pathOf, resultOf, run, sayings, stopsOf, type Variation,
} from './_run.js';

/** A test that needs Envoy. */
function withEnvoy(title: string, act: (t: ExecutionContext) => Promise<void>): void {
	test.serial(title, async t => {
		if (!isLeftOut(t, {pinned: 'Envoy'})) {
			await act(t);
		}
	});
}

const proxyOf = async (faults: EnvoyFaults = {}): Promise<Proxy> => envoyProxy(envoyForTests, faults);
const all = {types: typeIds, families: addressFamilies} as const;

for (const {title, variation} of [
	{title: 'REDIRECT, iptables-nft', variation: {backend: 'iptables-nft'}},
	{title: 'REDIRECT, iptables-legacy', variation: {backend: 'iptables-legacy'}},
	{title: 'TPROXY, nftables', variation: {backend: 'nftables', rules: 'release:1.31 -m TPROXY', credentials: {proxy: {uid: 0, gid: 1337}}}},
	{title: 'TPROXY, iptables-nft', variation: {backend: 'iptables-nft', rules: 'release:1.30 -m TPROXY', credentials: {proxy: {uid: 0, gid: 1337}}}},
	{title: 'another user and other ports', variation: {rules: 'release:1.30 -u 2000 -g 2000 -p 16001 -z 16006', credentials: {proxy: {uid: 2000, gid: 2000}}}},
] as ReadonlyArray<{readonly title: string; readonly variation: Variation}>) {
	withEnvoy(`the types by Envoy in both families pass: ${title}`, async t => {
		const report = await run({...all, ...variation, proxy: await proxyOf()});
		t.deepEqual(outcomesOf(report), Object.fromEntries(addressFamilies.flatMap(family => typeIds.map(id => [`${id} ${family}`, 'pass']))));
		t.regex(report.environment.proxy ?? '', /^envoy \d+\.\d+\.\d+/u);
	});
}

/** Ways to break it that make it do something else than the stub: the run says what. */
const wrongSource = async (): Promise<Proxy> => {
	const proxy = await proxyOf();
	return {...proxy, start: async (place, events) => proxy.start({...place, spec: {...place.spec, passthroughSource: {ipv4: '127.0.0.7', ipv6: '::1'}}}, events)};
};

withEnvoy('goes red: an Envoy that opens inbound connections from another address than 127.0.0.6', async t => {
	const report = await run({types: ['1', '2'], proxy: await wrongSource(), timeoutMs: 2000});
	t.is(resultOf(report, '1').outcome.kind, 'fail', sayings(resultOf(report, '1')).join('\n'));
	t.true(resultOf(report, '1').loop);
	t.notRegex(pathOf(report, '1'), /ISTIO_OUTPUT#1/u);
	t.is(resultOf(report, '2').outcome.kind, 'pass', 'what does not need that address is as before');
});

/** The kinds and messages of what is missing, for each type. */
function gapsOf(report: Report): readonly string[] {
	return report.types.flatMap(result => result.outcome.kind === 'inconclusive' ? sayings(result) : [`${result.id}: ${result.outcome.kind}`]);
}

/** Does something to the first line that is meant, once. */
function once(isMeant: (line: string) => boolean, damage: LogDamage): LogDamage {
	let isDone = false;
	return line => {
		if (isDone || !isMeant(line)) {
			return [line];
		}

		isDone = true;
		return damage(line);
	};
}

const isOutbound = (line: string): boolean => line.includes('"wanted":"10.244.1.20:8080"');

/** Damage to the access log, and what each type must say. Nothing may pass: a line belongs to nobody before it is read. */
const damages: ReadonlyArray<{readonly title: string; readonly damage: () => LogDamage; readonly says: RegExp}> = [
	{title: 'all lines of one connection are dropped', damage: () => line => isOutbound(line) ? [] : [line], says: /accepted \d+ connections, and its access log tells of \d+/u},
	{title: 'the line that says that it was established is dropped', damage: () => line => isOutbound(line) && line.includes('TcpUpstreamConnected') ? [] : [line], says: /reports the end of a connection from 10\.244\.1\.10:\d+ to 10\.244\.1\.20:8080 in its access log, and not that it was established/u},
	{title: 'garbage between the lines', damage: () => once(() => true, line => ['\u0000\u0001garbage', line]), says: /wrote a line to its access log that is not understood \(it is not JSON\)/u},
	{title: 'a line is cut short', damage: () => once(isOutbound, line => [line.slice(0, -20)]), says: /not understood/u},
	{title: 'every line is doubled', damage: () => line => [line, line], says: /reports twice the connection/u},
	{title: 'a line names another end of its own', damage: () => line => [isOutbound(line) ? line.replace(/"from":"10\.244\.1\.10:\d+"/u, '"from":"10.244.1.10:1"') : line], says: /unclaimed: The user of proxy sent a first packet from 10\.244\.1\.10:\d+ to 10\.244\.1\.20:8080/u},
	{title: 'a line names another destination', damage: () => once(isOutbound, line => [line.replaceAll('"to":"10.244.1.20:8080"', '"to":"10.244.1.21:8080"')]), says: /was configured to carry it on to 10\.244\.1\.20:8080/u},
	{title: 'a line names another listener', damage: () => once(isOutbound, line => [line.replace('"listener":"0"', '"listener":"1"')]), says: /accepted a connection at 127\.0\.0\.1:15001 by its listener 1, which does not listen there/u},
];

for (const {title, damage, says} of damages) {
	withEnvoy(`an access log that cannot be trusted is a gap: ${title}`, async t => {
		const report = await run({types: ['1', '2', '3'], proxy: await proxyOf({damage: damage()}), timeoutMs: 1500});
		t.true(report.types.every(({outcome}) => outcome.kind === 'inconclusive'), JSON.stringify(outcomesOf(report)));
		t.regex(gapsOf(report).join('\n'), says);
	});
}

withEnvoy('killed in the middle of a run: nothing passes, and the message names the signal', async t => {
	const report = await run({
		types: ['1', '2', '3'], proxy: await proxyOf(), timeoutMs: 1500, onActors(actors) {
			const app = actors.get('app') as Actor;
			const open = app.open.bind(app);
			app.open = async (...given) => {
				const done = await open(...given);
				actors.get('proxy')!.kill();
				return done;
			};
		},
	});
	t.true(report.types.every(({outcome}) => outcome.kind === 'inconclusive'), JSON.stringify(outcomesOf(report)));
	t.regex(gapsOf(report).join('\n'), /actor-ended: The process of proxy \(pid \d+\) ended by SIGKILL/u);
});

withEnvoy('stopped in the middle of a run: what it does not report in time is a gap', async t => {
	const report = await run({
		types: ['2'], proxy: await proxyOf(), timeoutMs: 1000, onActors(actors) {
			const {pid} = actors.get('proxy')!;
			process.kill(pid!, 'SIGSTOP');
			// The signal comes a little later, with two processors.
			while (!/^State:\s+T/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) {
				// Nothing else may happen in this process meanwhile.
			}
		},
	});
	t.is(resultOf(report, '2').outcome.kind, 'inconclusive');
	t.regex(gapsOf(report).join('\n'), /still has \d+ first packets without an answer, and [1-9]\d* connections to accept/u);
});

test.serial('an admin interface that accepts connections and does not answer, or is missing: a gap, after a limited wait', async t => {
	await using netns = Netns.create('admin');
	t.is(await askAccepted(netns, 100), undefined);
	t.false(await askStarted(netns, 100));
	const name = new Uint8Array([1, 0, 0, ...new TextEncoder().encode(adminSocket)]); // AF_UNIX, and an abstract name.
	const fd = netns.enter(() => calls.socket(1, sockStream | sockCloexec, 0) as number);
	t.is(calls.bind(fd, name, name.length), 0);
	t.is(calls.listen(fd, 1), 0);
	t.is(await askAccepted(netns, 100), undefined);
	t.false(await askStarted(netns, 100));
	calls.close(fd);
});

withEnvoy('it listens before its workers take connections: without their word for it, no run begins', async t => {
	const proxy = await proxyOf({
		readyMs: 2000,
		reconfigure: ({admin: _, ...rest}) => rest,
	});
	await t.throwsAsync(run({types: ['2'], proxy}), {code: 'ACTOR_FAILED', message: /^proxy could not start as uid 1337 gid 1337: Envoy listens, but takes no connections after 2 s\.$/u});
});

withEnvoy('Envoy runs as the proxy\'s user, without capabilities, and is gone after the run', async t => {
	let status = '';
	let pid = 0;
	await run({
		types: ['2'], proxy: await proxyOf(), onActors(actors) {
			pid = actors.get('proxy')!.pid!;
			status = readFileSync(`/proc/${pid}/status`, 'utf8');
		},
	});
	t.regex(status, /^Name:\t(?:envoy|\d+)$/mu);
	t.regex(status, /^Uid:\t1337\t1337\t1337\t1337$/mu);
	t.regex(status, /^Groups:\t *$/mu);
	t.regex(status, /^CapBnd:\t0{16}$/mu);
	t.regex(readFileSyncOr(`/proc/${pid}/status`), /^(?:gone|State:\tZ)/u);
});

function readFileSyncOr(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		return 'gone';
	}
}

withEnvoy('a connection that loops is reported as a loop, and is cut off', async t => {
	// Without the rules for the proxy's own user it gets back what it sends.
	const report = await run({credentials: {proxy: {uid: 4000, gid: 4000}, agent: {uid: 1337, gid: 1337}}, types: ['2'], proxy: await proxyOf(), timeoutMs: 2000});
	t.true(resultOf(report, '2').loop, stopsOf(report, '2'));
	t.is(resultOf(report, '2').outcome.kind, 'fail', sayings(resultOf(report, '2')).join('\n'));
});

/** Resolves once the app has its port, so that it is the proxy that cannot have it. */
async function untilAppListens(netns: Netns): Promise<void> {
	while (!netns.enter(() => readFileSync('/proc/thread-self/net/tcp', 'utf8')).includes(' 00000000:1F90 00000000:0000 0A ')) {
		await sleep(5); // eslint-disable-line no-await-in-loop -- Until it listens.
	}
}

for (const {title, variation, message} of [
	{title: 'a port that is taken', variation: {rules: 'release:1.30 -p 8080'}, message: /^proxy could not start as uid 1337 gid 1337: .*ended with status 1\..*Address already in use/su},
	{title: 'ambient mode', variation: {rules: 'ambient:1.30', credentials: {proxy: {uid: 0, gid: 1337}}, types: ['1']}, message: /^Envoy cannot be proxy in ambient mode, where ztunnel/u},
] as ReadonlyArray<{readonly title: string; readonly variation: Variation; readonly message: RegExp}>) {
	withEnvoy(`a proxy that cannot start: ${title}`, async t => {
		const proxy = await proxyOf();
		const afterApp: Proxy = {
			...proxy, async start(place, events) {
				await untilAppListens(place.netns);
				return proxy.start(place, events);
			},
		};
		await t.throwsAsync(run({...variation, proxy: afterApp}), {instanceOf: TestbedError, code: 'ACTOR_FAILED', message});
	});
}

withEnvoy('on the command line: recorded, and replayed without Envoy', async t => {
	const {path, cleanup} = await temporaryFile();
	t.teardown(cleanup);
	const testbed = async (...given: readonly string[]) => execaNode('scripts/run.cjs', ['testbed', ...given], {reject: false, env: {ENVOY: '/nowhere'}});
	const recorded = await testbed('run', '--proxy', 'envoy', '--envoy', envoyForTests, '--record', path, '--format', 'json');
	t.is(recorded.exitCode, 0, recorded.stderr);
	const replayed = await testbed('replay', path, '--format', 'json');
	t.is(replayed.exitCode, 0, replayed.stderr);
	const [one, other] = [recorded, replayed].map(({stdout}) => JSON.parse(stdout) as {readonly environment: {readonly proxy: string | null}; readonly types: unknown});
	t.deepEqual(other, one);
	t.regex(one!.environment.proxy ?? '', /^envoy \d/u);
});

withEnvoy('conformance: each connection is as with the stub, or as a row of docs/limits.md says', async t => {
	const {status, lines} = await compareWithStub('envoy', {program: envoyForTests, backends: ['iptables-nft']});
	t.is(status, 0, lines.join('\n'));
	t.regex(lines.join('\n'), /\n {2}2\d\d equal/u);
});

withEnvoy('conformance goes red: an Envoy that opens inbound connections from another address', async t => {
	const {cases} = proxyCases({backends: ['iptables-nft'], signal: new AbortController().signal});
	const comparisons = await compareCases(cases.filter(({name}) => name === 'six-types'), await wrongSource());
	const {status, lines} = summarize(comparisons, {
		name: 'envoy', version: 'x', leftOut: [], rows: [],
	});
	t.is(status, 1, lines.join('\n'));
	// Only 127.0.0.6 is let go: from another address it comes back to the inbound listener.
	t.regex(lines.join('\n'), /\nsix-types iptables-nft 1 remote-to-local ipv4: different, first at leg 1\n {2}stub {3}remote from 10\.244\.1\.20 .*\n {2}envoy {2}loop\n/u);
});
