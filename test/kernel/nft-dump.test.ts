/** What nf_tables says by netlink, compared with nft's own listing of the same rules: places, handles, counters, and the owners that the prober's table counts. */

import {setTimeout as turn} from 'node:timers/promises';
import test from 'ava';
import {parseLoadedRules, parseNftListing} from '../../src/trace/loaded-rules.js';
import {defaultTypesOf} from '../../src/mesh/traffic-types.js';
import {backends} from '../../src/netfilter/types.js';
import {credentialsOf} from '../../testbed/inputs/credentials.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {ActorSandbox} from '../../testbed/run/actor-sandbox.js';
import {runOn} from '../../testbed/run/run.js';
import {driverOf} from '../../testbed/sandbox/backends/drivers.js';
import {dumpPairs, dumpRules} from '../../testbed/sandbox/nft-dump.js';
import {traceTable} from '../../testbed/sandbox/own-table.js';
import {parseKernelState, type KernelState} from '../../testbed/tracer/kernel-texts.js';
import {defaultBufferBytes} from '../../testbed/tracer/trace-source.js';
import {rangeRules} from '../../testbed/bench/big-rule-sets.js';
import {request, withProber} from './_prober.js';

const families = ['ipv4', 'ipv6'] as const;

for (const backend of backends) {
	test.serial(`${backend}: the rules and their counters are those of the listing, after packets`, async t => {
		await withProber({backend, families}, async (prober, {sandbox: {pod}}) => {
			const answers = await prober.probe([request(1), request(2, {uid: 7, gid: 4_000_000_000}), request(3, {uid: 7, gid: 4_000_000_000, to: {address: '2001:db8:1::20', port: 8080}})]);
			t.deepEqual(answers.flatMap(({gaps}) => gaps), []);
			const listing = await pod.runConfined('nft', ['-n', '-j', 'list', 'ruleset']);
			const dumped = dumpRules(pod, [traceTable]);
			t.deepEqual(dumped, parseNftListing(listing, [traceTable]));
			t.deepEqual(dumpRules(pod, []), parseNftListing(listing, []), 'also the table of the testbed, which has sets and verdicts of its own');
			const texts = await driverOf(backend).loadKernelTexts(pod, {families, lockFile: '/dev/null'});
			const loaded = await driverOf(backend).loadRules(pod, {families, lockFile: '/dev/null', exceptTables: [traceTable]});
			t.deepEqual(loaded, parseLoadedRules(texts, {backend, exceptTables: [traceTable]}));
			t.true(loaded.some(({packets = 0}) => packets > 0));
			const {nftables} = JSON.parse(listing) as {nftables: ReadonlyArray<{set?: {table: string; elem?: ReadonlyArray<{elem: {val: {concat: readonly number[]}; counter: {packets: number}}}>}}>};
			const owners = new Map(nftables.flatMap(({set}) => set?.elem ?? []).map(({elem}) => [elem.val.concat.join(':'), elem.counter.packets] as const));
			t.deepEqual(Object.fromEntries(dumpPairs(pod, {table: traceTable, set: 'owners-counted'})), Object.fromEntries(owners));
			t.is(owners.get('7:4000000000'), 2);
		});
	});
}

for (const backend of backends) {
	test.serial(`${backend}: a run reads the same state by netlink as a recording has as text`, async t => {
		const rules = loadRuleInput({source: 'release:1.30 --redirect-dns', source6: undefined, families, backend});
		const credentials = credentialsOf({appUid: 1000}, rules.intent);
		const types = defaultTypesOf(rules.mesh.traffic);
		await using sandbox = await ActorSandbox.create({
			mesh: rules.mesh, intent: rules.intent, types, credentials, timeoutMs: 5000,
		});
		const {report} = await runOn(sandbox, {
			rules, families, types, credentials, timeoutMs: 5000, traceBufferBytes: defaultBufferBytes, signal: new AbortController().signal, onProgress: () => undefined,
		});
		t.deepEqual([...new Set(report.types.map(({outcome: {kind}}) => kind))], ['pass']);
		const [text, read] = await Promise.all([true, false].map(async isRecorded => sandbox.loadState({backend, families, isRecorded})));
		t.true('listing' in text!);
		t.true('rules' in read!);
		const [printed, dumped] = [parseKernelState(text!, backend), parseKernelState(read!, backend)];
		t.deepEqual(dumped.rules, printed.rules);
		const sorted = ({owners}: KernelState) => owners.map(owner => JSON.stringify(owner)).toSorted();
		t.deepEqual(sorted(dumped), sorted(printed));
		t.deepEqual([...new Set(dumped.owners.map(({family}) => family))].toSorted(), ['ipv4', 'ipv6']);
		t.true([1000, 1337].every(id => dumped.owners.some(({uid, gid}) => uid === id && gid === id)));
	});
}

test.serial('thousands of rules come in many datagrams, and none is lost', async t => {
	await withProber({rules: rangeRules(3000)}, async (_, {sandbox: {pod}}) => {
		const dumped = dumpRules(pod, [traceTable]);
		t.is(dumped.length, 3001);
		t.deepEqual(dumped, parseNftListing(await pod.runConfined('nft', ['-n', '-j', 'list', 'ruleset']), [traceTable]));
	});
});

test.serial('rules that change while they are read are read again', async t => {
	await withProber({rules: rangeRules(3000)}, async (_, {sandbox: {pod}}) => {
		let isOver = false;
		const changing = (async () => {
			await pod.run('sh', ['-c', 'for n in 1 2 3 4 5 6 7 8 9 10; do nft add rule ip nat RANGES counter; done']);
			isOver = true;
		})();
		let last = 0;
		for (let isLast = false; !isLast;) {
			isLast = isOver;
			await turn(1); // eslint-disable-line no-await-in-loop -- While they change.
			const {length} = dumpRules(pod, [traceTable]);
			t.true(length >= Math.max(last, 3001), String(length));
			last = length;
		}

		await changing;
		t.is(last, 3011);
	});
});

test.serial('a set that is not there counts nothing', async t => {
	await withProber({}, async (_, {sandbox: {pod}}) => {
		t.deepEqual(dumpPairs(pod, {table: traceTable, set: 'no-such-set'}), new Map());
		t.deepEqual(dumpPairs(pod, {table: 'no-such-table', set: 'owners-counted'}), new Map());
	});
});
