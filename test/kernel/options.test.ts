/**
Expectations follow the options, the kernel follows the rules: for any options both must lead to the same stops through the same roles, and for broken rules they must not.
*/

import test from 'ava';
import fc from 'fast-check';
import {printSave} from '../../src/netfilter/iptables/save.js';
import {backends, type Backend} from '../../src/netfilter/types.js';
import type {RunEntry} from '../../src/report/run/many.js';
import {unsupportedOptions} from '../../src/istio/intent.js';
import {typeIds} from '../../src/istio/traffic/six-types.js';
import type {TypeId} from '../../src/mesh/traffic.js';
import {credentialsOf} from '../../testbed/inputs/credentials.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {runMany} from '../../testbed/run/run-many.js';
import {
	inputOf, optionsOf, outcomesOf, pathOf, replace, resultOf, run, sayings, stopsOf,
} from './_run.js';

const families = ['ipv4', 'ipv6'] as const;

/** `-c eth0 NAME=value` as a rule input: variables stand in front. */
function inputText(text: string): string {
	const words = text.match(/(?:[^\s"]|"[^"]*")+/gu) ?? [];
	const isAssignment = (word: string) => /^[A-Z_\d]+=/u.test(word);
	return [...words.filter(word => isAssignment(word)), 'release:1.30', ...words.filter(word => !isAssignment(word))].join(' ');
}

/** Runs option sets in shared sandboxes; returns the results. */
async function play(sets: readonly string[], backend: Backend): Promise<readonly RunEntry[]> {
	return runMany(sets.map(text => {
		const rules = loadRuleInput({source: inputText(text), families, backend});
		return {...optionsOf({rules, families, types: typeIds}), credentials: credentialsOf({appUid: 1000}, rules.intent)};
	}), {jobs: 2});
}

/** What is not a pass, with its sentences. */
function complaintsOf(entries: readonly RunEntry[]): readonly string[] {
	return entries.flatMap(entry => entry.kind === 'report'
		? entry.report.types.filter(({outcome}) => outcome.kind !== 'pass').map(result => `${entry.source}: type ${result.id} ${result.family}: ${result.outcome.kind}: ${sayings(result).join(' | ')}`)
		: [`${entry.source}: ${entry.kind}: ${entry.reason}`]);
}

const sets = [
	'-m TPROXY',
	'--redirect-dns',
	'--redirect-dns --capture-all-dns',
	'-m TPROXY --redirect-dns --capture-all-dns --drop-invalid',
	'-c eth0',
	'-c lo',
	'-c eth+ -m TPROXY',
	'-k eth0',
	'-k eth0 -i 10.96.0.0/12',
	'-k eth0 -i 10.244.0.0/16,2001:db8::/32',
	'ISTIO_OUTBOUND_OWNER_GROUPS=1000',
	'ISTIO_OUTBOUND_OWNER_GROUPS=5',
	'ISTIO_OUTBOUND_OWNER_GROUPS=',
	'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=1000,6',
	'ISTIO_OUTBOUND_OWNER_GROUPS=0 -m TPROXY',
	'ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.0/8',
	'ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.1.0/24',
	'-i 127.0.0.0/8,10.0.0.0/8',
	'-i 127.0.0.0/8',
	'-b ""',
	'-b "" -m TPROXY',
	'-b 8080 -m TPROXY',
	'-b 80 -m TPROXY',
	'-d 8080 -m TPROXY',
	'-o 8080 -m TPROXY',
	'-e 8080 -m TPROXY',
	'-t 77 -r 200 -m TPROXY',
	'-m TPROXY -z 16006 -p 16001',
	'-x 10.0.0.0/8,2001:db8::/32',
	'-q 8080 -i ""',
];

/** What nft refuses of them, because iptables has another word for it. */
const refusedByNft: readonly string[] = ['-c eth+ -m TPROXY'];

for (const backend of backends) {
	test(`each kind of option does on the kernel what is expected, ${backend}`, async t => {
		const entries = await play(sets, backend);
		t.is(entries.length, sets.length);
		const refused = backend === 'nftables' ? refusedByNft : [];
		t.deepEqual(entries.flatMap(({kind}, index) => kind === 'rejected' ? [sets[index]] : []), refused);
		t.deepEqual(complaintsOf(entries.filter(({kind}) => kind !== 'rejected')), []);
		t.true(refused.every(text => loadRuleInput({source: inputText(text), families, backend}).warnings.some(warning => warning.startsWith('nft rejects'))));
	});
}

function list(items: readonly string[], maxLength = 2): fc.Arbitrary<string> {
	return fc.uniqueArray(fc.constantFrom(...items), {maxLength}).map(found => `"${found.join(',')}"`);
}

function flag(name: string, values: fc.Arbitrary<string>): fc.Arbitrary<string> {
	return fc.option(values, {nil: undefined, freq: 2}).map(value => value === undefined ? '' : `${name}${value}`);
}

const ports = ['8080', '15012', '15090', '80', '8000:9000', '15000:16000'];
const ranges = ['10.244.1.0/24', '10.96.0.0/12', '0.0.0.0/0', '192.168.0.0/16', '2001:db8:1::/64', '2001:db8:96::/108', '127.0.0.0/8', '::/0'];
const randomSets = fc.tuple(
	flag('ISTIO_OUTBOUND_OWNER_GROUPS=', list(['1000', '0', '5'])),
	flag('ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=', list(['1000', '5'])),
	flag('ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=', fc.constantFrom('127.0.0.0/8', '127.0.0.1/32', '127.0.1.0/24')),
	flag('-m ', fc.constantFrom('TPROXY', 'REDIRECT')),
	flag('-b ', fc.oneof(fc.constant('"*"'), list(ports))),
	flag('-d ', list(ports, 3)),
	flag('-o ', list(ports)),
	flag('-q ', list(ports)),
	flag('-i ', fc.oneof(fc.constant('"*"'), list(ranges))),
	flag('-x ', list(ranges)),
	flag('-c ', list(['eth0', 'eth1'], 1)),
	flag('-k ', list(['vm0', 'eth0'], 1)),
	flag('-e ', fc.constantFrom('8080', '15008')),
	fc.constantFrom('', '--redirect-dns', '--redirect-dns --capture-all-dns'),
	fc.constantFrom('', '--drop-invalid'),
).map(parts => parts.filter(part => part !== '').join(' '));

test('random options do on the kernel what is expected', async t => {
	const texts = fc.sample(randomSets, {numRuns: 60, seed: 1337}).filter(text => unsupportedOptions({options: optionsIn(text)}).length === 0);
	t.true(texts.length > 40);
	for (const [index, backend] of backends.entries()) {
		// Ranges of ports are written otherwise in nft (nft refuses `80:90`).
		const own = texts.filter((text, position) => position % backends.length === index && !(backend === 'nftables' && text.includes(':9000')) && !(backend === 'nftables' && text.includes(':16000')));
		const entries = await play(own, backend); // eslint-disable-line no-await-in-loop -- Each fills both cores.
		t.deepEqual(complaintsOf(entries), []);
	}
});

/** The two options that an unsupported combination is made of. */
function optionsIn(text: string): Parameters<typeof unsupportedOptions>[0]['options'] {
	return {inboundInterceptionMode: text.includes('TPROXY') ? 'TPROXY' : 'REDIRECT', kubeVirtInterfaces: text.includes('-k "eth0"') ? ['eth0'] : []};
}

test('under TPROXY the app sees the client\'s address, and the packets carry the proxy\'s mark', async t => {
	const rules = loadRuleInput({source: 'release:1.30 -m TPROXY', families: ['ipv4']});
	const report = await run({rules, credentials: {proxy: {uid: 0, gid: 1337}}});
	const [fromClient, toApp] = resultOf(report, '1').legs;
	t.is(toApp?.from.address, fromClient?.from.address);
	t.is(toApp?.from.address, '10.244.1.20');
	t.is(pathOf(report, '1'), 'remote > mangle:PREROUTING#1 > mangle:ISTIO_INBOUND#8 > mangle:ISTIO_TPROXY#1 > PREROUTING > mangle:INPUT > INPUT > proxy:15006 > mangle:OUTPUT#1 > OUTPUT#1 > ISTIO_OUTPUT#3 > mangle:POSTROUTING > POSTROUTING > mangle:PREROUTING#1 > mangle:ISTIO_INBOUND#1 > mangle:PREROUTING#2 > mangle:INPUT > app:8080');
});

/** Broken variants: a set, the change, and the type that must fail, with its stops. */
const broken: ReadonlyArray<{readonly title: string; readonly options: string; readonly change?: readonly [from: string, to: string]; readonly proxy?: {readonly uid: number; readonly gid: number}; readonly type: TypeId; readonly outcome?: 'inconclusive'; readonly stops: string}> = [
	// The kernel answers nobody: the SYN is redirected to 127.0.0.1, and what comes back finds no way. A connection without an end is a doubt, not a failure.
	{title: 'a proxy of UID 1337 under TPROXY meets its own hairpin rule', options: '-m TPROXY', proxy: {uid: 1337, gid: 1337}, type: '1', outcome: 'inconclusive', stops: 'proxy:15006'},
	{title: 'TPROXY without its rule', options: '-m TPROXY', change: ['-A ISTIO_TPROXY ! -d 127.0.0.1/32 -p tcp -j TPROXY --on-port 15006 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff\n', ''], type: '1', stops: 'app:8080'},
	{title: 'TPROXY to another port', options: '-m TPROXY', change: ['--on-port 15006', '--on-port 15007'], type: '1', stops: ''},
	{title: 'TPROXY whose hairpin mark is another', options: '-m TPROXY', change: ['--gid-owner 1337 -j MARK --set-xmark 0x53a/0xffffffff', '--gid-owner 1337 -j MARK --set-xmark 0x53b/0xffffffff'], type: '4', stops: 'proxy:15001 → app:8080'},
	{title: 'an excluded group that is captured', options: 'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=1000', change: ['-A ISTIO_OUTPUT -m owner --gid-owner 1000 -j RETURN\n', ''], type: '2', stops: 'proxy:15001 → remote:8080'},
	{title: 'an excluded interface that is captured', options: '-c eth0', change: ['-A OUTPUT -o eth0 -j RETURN\n', ''], type: '2', stops: 'proxy:15001 → remote:8080'},
	{title: 'a virtual interface that is not captured', options: '-k eth0', change: ['-A PREROUTING -i eth0 -j ISTIO_REDIRECT\n', ''], type: '1', stops: 'app:8080'},
	{title: 'DNS capture that takes TCP of any port', options: '--redirect-dns', change: ['-p tcp -m tcp --dport 53 -j REDIRECT --to-ports 15053', '-p tcp -j REDIRECT --to-ports 15053'], type: '2', stops: ''},
];

for (const {
	title, options, change, proxy, type, outcome = 'fail', stops,
} of broken) {
	test(`goes red: ${title}`, async t => {
		const original = loadRuleInput({source: inputText(options), families: ['ipv4']});
		const dump = printSave(original.ruleSet, 'ipv4').replace('-d 10.96.0.10/32 -p tcp', '-p tcp');
		const changed = change === undefined ? dump : replace(dump, ...change);
		const {ruleSet} = await inputOf(changed);
		const report = await run({
			rules: {...original, ruleSet}, types: [type], credentials: {proxy: proxy ?? credentialsOf({appUid: 1000}, original.intent).proxy}, timeoutMs: 1500,
		});
		t.is(resultOf(report, type).outcome.kind, outcome, outcomesOf(report)[`${type} ipv4`]);
		t.is(stopsOf(report, type), stops);
	});
}
