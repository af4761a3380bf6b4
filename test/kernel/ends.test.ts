/**
Ends that are neither a listener nor a refusal nor a drop, on every back end and in both families: a rewritten destination that no host has, a packet that leaves for a loopback address, an answer that a rule drops, a query that comes back from an agent which sees another source. Each has a counterpart that ends normally.
*/

import {fileURLToPath} from 'node:url';
import test from 'ava';
import {printLegEnd, stepsOfPath, stopsOfPath} from '../../src/netfilter/path.js';
import {parseText} from '../../src/netfilter/rule-texts.js';
import {tableFamily} from '../../src/netfilter/lookup.js';
import {backends, type AddressFamily, type Backend} from '../../src/netfilter/types.js';
import type {ReportDocument} from '../../src/report/run/schema.js';
import {probeToJson} from '../../src/report/probe/json.js';
import {exitStatusOfProbe, type ProbeReport} from '../../src/report/probe/types.js';
import {printProbe} from '../../src/report/probe/text.js';
import {addressFamilies, defaultTopology} from '../../src/mesh/topology.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {runProbe} from '../../testbed/probe/explain.js';
import {root} from '../helpers/root.js';
import {testbed} from './_cli.js';
import {optionsOf} from './_run.js';

const {places, resolver} = defaultTopology;
const nobody = {ipv4: '172.17.0.2', ipv6: '2001:db8:dead::2'} as const;

function bracketed(address: string, port: number): string {
	return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** One rule in one chain, in the words of a back end. */
type OneRule = {readonly table: 'nat' | 'filter'; readonly hook: 'PREROUTING' | 'INPUT' | 'OUTPUT'; readonly iptables: string; readonly nft: string; readonly policy?: 'ACCEPT' | 'DROP'};

function textOf({table, hook, iptables, nft, policy = 'ACCEPT'}: OneRule, backend: Backend, family: AddressFamily): string {
	if (backend === 'nftables') {
		const priority = table === 'filter' ? 0 : -100;
		return `table ${tableFamily(family)} ${table} {\n\tchain ${hook} {\n\t\ttype ${table} hook ${hook.toLowerCase()} priority ${priority}; policy ${policy.toLowerCase()};\n\t\t${nft}\n\t}\n}\n`;
	}

	const chains = table === 'nat' ? ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'] : ['INPUT', 'FORWARD', 'OUTPUT'];
	return [`*${table}`, ...chains.map(chain => `:${chain} ${chain === hook ? policy : 'ACCEPT'} [0:0]`), `-A ${hook} ${iptables}`, 'COMMIT', ''].join('\n');
}

async function probe(rule: OneRule | string, {backend, family, timeoutMs = 1500}: {readonly backend: Backend; readonly family: AddressFamily; readonly timeoutMs?: number}, asked: Partial<Pick<ProbeSpec, 'from' | 'protocol' | 'bindDevice'>> & {readonly to: ProbeSpec['to']}): Promise<ProbeReport> {
	const usual = loadRuleInput({source: typeof rule === 'string' ? rule : 'release:1.30', families: [family], backend});
	const options = optionsOf({rules: typeof rule === 'string' ? usual : {...usual, ruleSet: parseText({family: backend === 'nftables' ? null : family, text: textOf(rule, backend, family)})}, backend, timeoutMs});
	const from = asked.from ?? 'app';
	return runProbe({
		...options,
		question: {
			from, credentials: options.credentials[from], asked: bracketed(asked.to.address, asked.to.port), family, protocol: 'tcp', ...asked,
		},
		isFirstLegOnly: false,
	});
}

const pairs = backends.flatMap(backend => addressFamilies.map(family => ({backend, family})));

for (const {backend, family} of pairs) {
	const dnat = (hook: 'OUTPUT' | 'PREROUTING', address: string): OneRule => ({
		table: 'nat', hook, iptables: `-p tcp -m tcp --dport 80 -j DNAT --to-destination ${bracketed(address, 8080)}`, nft: `tcp dport 80 counter dnat to ${bracketed(address, 8080)}`,
	});

	test(`${backend}, ${family}: a connection ends if a rule gives it a destination that no host has`, async t => {
		for (const [hook, from, to] of [['OUTPUT', 'app', places.remote[family]], ['PREROUTING', 'remote', places.pod[family]]] as const) {
			const report = await probe(dnat(hook, nobody[family]), {backend, family}, {from, to: {address: to, port: 80}}); // eslint-disable-line no-await-in-loop -- One sandbox at a time.
			t.is(exitStatusOfProbe(report), 0, printProbe(report, {color: false, verbose: false, width: 100}));
			t.is(stepsOfPath(report).at(-1), `nowhere (${bracketed(nobody[family], 8080)})`);
			const {legs: [leg], outcome} = probeToJson(report);
			t.is(outcome, 'answered');
			t.like(leg!.lost, {kind: 'nowhere', at: {address: nobody[family], port: 8080}, rule: {chain: hook, number: 1}});
			t.is(leg!.endReason, `decided by ${hook}#1; the new destination ${bracketed(nobody[family], 8080)} does not exist in this topology`);
		}

		const answered = await probe(dnat('OUTPUT', places.remote[family]), {backend, family}, {to: {address: places.istiod[family], port: 80}});
		t.deepEqual(stopsOfPath(answered), ['remote:8080'], 'somebody has that one');
	});

	test(`${backend}, ${family}: an inbound connection that is redirected to another host, or to localhost, ends there`, async t => {
		for (const [address, because] of [[places.istiod[family], 'belongs to another host, and the pod forwards nothing'], [places.localhost[family], 'is a loopback address, to which the kernel delivers no packet from outside']] as const) {
			const report = await probe(dnat('PREROUTING', address), {backend, family}, {from: 'remote', to: {address: places.pod[family], port: 80}}); // eslint-disable-line no-await-in-loop -- One sandbox at a time.
			t.is(exitStatusOfProbe(report), 0, printProbe(report, {color: false, verbose: false, width: 100}));
			t.is(stepsOfPath(report).at(-1), `nowhere (${bracketed(address, 8080)})`);
			t.is(probeToJson(report).legs[0]!.endReason, `decided by PREROUTING#1; the new destination ${bracketed(address, 8080)} ${because}`);
		}

		const own = await probe(dnat('PREROUTING', places.pod[family]), {backend, family}, {from: 'remote', to: {address: places.pod[family], port: 80}});
		t.deepEqual(stopsOfPath(own), ['app:8080'], 'the pod has that one');
	});

	test(`${backend}, ${family}: a socket bound to eth0 is neither captured nor bypassed`, async t => {
		const to = {address: places.remote[family], port: 8080};
		const report = await probe('release:1.30', {backend, family}, {to, bindDevice: 'eth0'});
		t.is(exitStatusOfProbe(report), 0, printProbe(report, {color: false, verbose: false, width: 100}));
		const loopback = bracketed(places.localhost[family], 15_001);
		t.is(stepsOfPath(report).at(-1), `lost (${loopback})`);
		t.like(probeToJson(report).legs[0]!.lost, {kind: 'lost', at: {address: places.localhost[family], port: 15_001}});
		t.regex(printProbe(report, {color: false, verbose: false, width: 1000}), /its socket is bound to eth0, so it left by eth0 for a loopback address, where nobody can answer; it is neither captured nor bypassed/u);
		const captured = await probe('release:1.30', {backend, family}, {to, bindDevice: 'lo'});
		t.is(captured.legs[0]!.end.kind === 'lost', false, 'bound to lo it is not lost that way');
		const bypassed = await probe('release:1.30', {backend, family}, {from: 'proxy', to, bindDevice: 'eth0'});
		t.is(printLegEnd(bypassed.legs[0]!.end), 'remote:8080');
	});

	test(`${backend}, ${family}: an answer that a rule in INPUT drops is reported with that rule`, async t => {
		const to = {address: places.remote[family], port: 8080};
		const drop: OneRule = {
			table: 'filter', hook: 'INPUT', iptables: '-p tcp -m tcp --sport 8080 -j DROP', nft: 'tcp sport 8080 counter drop',
		};
		const report = await probe(drop, {backend, family}, {to});
		t.is(exitStatusOfProbe(report), 0, printProbe(report, {color: false, verbose: false, width: 100}));
		t.is(stepsOfPath(report).at(-1), 'answer-dropped by filter:INPUT#1');
		t.like(probeToJson(report).legs[0]!.lost, {kind: 'answer-dropped', at: to, rule: {table: 'filter', chain: 'INPUT', number: 1}});

		const datagram = await probe({...drop, iptables: '-p udp -m udp --sport 53 -j DROP', nft: 'udp sport 53 counter drop'}, {backend, family}, {to: {address: resolver[family], port: 53}, protocol: 'udp'});
		t.is(stepsOfPath(datagram).at(-1), 'answer-dropped by filter:INPUT#1');

		const policy = await probe({
			...drop, iptables: '-p tcp -m tcp --sport 1 -j ACCEPT', nft: 'tcp sport 1 counter accept', policy: 'DROP',
		}, {backend, family}, {to});
		t.is(stepsOfPath(policy).at(-1), 'answer-dropped', 'by the policy');
		t.regex(probeToJson(policy).legs[0]!.endReason ?? '', /the policy of filter INPUT dropped the answer/u);

		const other = await probe({...drop, iptables: '-p tcp -m tcp --sport 8081 -j DROP', nft: 'tcp sport 8081 counter drop'}, {backend, family}, {to});
		t.deepEqual(stopsOfPath(other), ['remote:8080'], 'another port is not dropped');
	});
}

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test(`${backend}: DNS capture of 1.8, by DNAT and SNAT, is followed to the agent and answered`, async t => {
		const report = await probe('release:1.8 ISTIO_META_DNS_CAPTURE=true', {backend, family: 'ipv4'}, {to: {address: resolver.ipv4, port: 53}, protocol: 'udp'});
		t.is(exitStatusOfProbe(report), 0, printProbe(report, {color: false, verbose: false, width: 100}));
		t.deepEqual(stopsOfPath(report), ['agent:15053', 'dns:53']);
		t.true(report.legs[0]!.flow?.isReplied, 'the client got its answer');
	});
}

test('a pod with two addresses: where a redirect lands, and from where the pod calls itself', async t => {
	const {exitCode, stdout} = await testbed(['run', fileURLToPath(new URL('scenarios/two-addresses.yaml', root)), '--format', 'json']);
	t.is(exitCode, 0, stdout);
	const {runs} = JSON.parse(stdout) as {readonly runs: ReadonlyArray<Pick<ReportDocument, 'types' | 'rules'>>};
	t.is(runs.length, backends.length);
	// IPv4 takes the address that was added first, IPv6 the last. Native rules have no chain behind the redirect that would show it.
	for (const {rules: {backend}, types} of runs) {
		const landed = types.filter(({name, legs}) => name.startsWith('in-to-') && legs.length > 0).flatMap(({family, legs: [leg]}) => leg!.hooks.filter(({hook}) => hook === 'input').map(({destination}) => `${family} ${destination.address}`));
		t.deepEqual([...new Set(landed)].toSorted(), backend === 'nftables' ? [] : ['ipv4 10.244.1.10', 'ipv6 2001:db8:1::11'], backend);
	}
});

test('if rules also reject neighbor discovery, a hint names them; a rule that accepts it fixes that', async t => {
	const hintsOf = async (rules: readonly string[], family: AddressFamily): Promise<readonly string[]> => {
		const usual = loadRuleInput({source: 'release:1.30', families: [family], backend: 'iptables-nft'});
		const options = optionsOf({rules: {...usual, ruleSet: parseText({family, text: ['*filter', ':INPUT ACCEPT', ...rules.map(rule => `-A INPUT ${rule}`), 'COMMIT', ''].join('\n')})}, timeoutMs: 1500});
		const report = await runProbe({
			...options,
			question: {
				from: 'app', credentials: options.credentials.app, asked: 'remote:8080', family, protocol: 'tcp', to: {address: places.remote[family], port: 8080},
			},
			isFirstLegOnly: false,
		});
		t.deepEqual(stopsOfPath(report), ['remote:8080']);
		return report.hints.filter(hint => hint.includes('Neighbor discovery'));
	};

	const established = '-m state --state ESTABLISHED -j ACCEPT';
	const told = await hintsOf([established, '-i lo -j ACCEPT', '-j REJECT'], 'ipv6');
	t.regex(told.join('\n'), /by filter:INPUT#3 \(-j REJECT .*nothing leaves it over IPv6/u);
	t.deepEqual(await hintsOf(['-p ipv6-icmp -j ACCEPT', established, '-j REJECT'], 'ipv6'), []);
	t.deepEqual(await hintsOf([established, '-j REJECT'], 'ipv4'), []);
});
