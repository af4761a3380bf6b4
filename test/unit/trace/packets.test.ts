import test from 'ava';
import type {TraceEvent} from '../../../src/trace/decode/event.js';
import {assemblePackets, invalidChains, type TracedPacket} from '../../../src/trace/packets.js';
import {
	header, logEvent, lookupOf, nftEnd, nftEvent, nftPolicy,
} from './_events.js';

const lookup = lookupOf({
	'ip nat OUTPUT 1': {}, 'ip nat OUTPUT 2': {text: 'ACCEPT', final: 'accept', isPolicy: true}, 'ip nat MINE 1': {final: 'accept'}, 'ip nat MINE 2': {}, 'ip nat PREROUTING 1': {text: 'DROP', final: 'drop'},
});

/** `OUTPUT 1 MINE 1 =rule accept`: the base chain, the hits, and how it was left. */
function printTraversals({traversals}: TracedPacket): string {
	return traversals.map(({table, chain, hits, end}) => [
		table === 'nat' ? chain : `${table}:${chain}`,
		...hits.map(hit => `${hit.chain}#${hit.number ?? '?'}`),
		end.by === 'open' ? '=open' : `=${end.by} ${end.verdict}`,
	].join(' ')).join(', ');
}

const switched = (changes: Parameters<typeof nftEvent>[0] = {}): TraceEvent => nftEvent({
	family: 'inet', table: 'switch', chain: 'output', handle: 1, verdict: 'continue', target: undefined, packet: header(), ...changes,
});
/** Nat OUTPUT as nft tells it: a jump, a verdict. */
const output = (traceId: number, sequence: number): readonly TraceEvent[] => [
	nftEvent({traceId, packet: header({sequence})}),
	nftEvent({
		traceId, chain: 'MINE', verdict: 'accept', target: undefined,
	}),
];
/** Nat POSTROUTING, where no rule matches. */
const postrouting = (traceId: number, sequence: number): readonly TraceEvent[] => [
	nftEnd({traceId, chain: 'POSTROUTING', packet: header({sequence})}), nftPolicy({traceId, chain: 'POSTROUTING'}),
];
const both = 'OUTPUT OUTPUT#1 MINE#1 =rule accept, POSTROUTING =policy accept';
const logged = (chain: string, number: number, changes: Parameters<typeof logEvent>[0] = {}): TraceEvent => logEvent({chain, number, ...changes});

/** A datagram of IPv6 from one port, to another address each. */
const datagram = (label: number): ReturnType<typeof header> => header({
	family: 'ipv6', protocol: 17, sequence: undefined, source: {address: '2001:db8::1', port: 53}, destination: {address: `2001:db8::${label}`, port: 53}, identification: label,
});

type Row = {readonly title: string; readonly events: readonly TraceEvent[]; readonly packets: readonly string[]; readonly orphans?: number; readonly seen?: readonly boolean[]};

const rows: readonly Row[] = [
	{title: 'nothing', events: [], packets: []},
	{title: 'nft: one packet through two base chains', events: [...output(1, 5), ...postrouting(1, 5)], packets: [both]},
	{
		title: 'nft: two packets whose events are mixed', events: [output(1, 5)[0]!, output(2, 6)[0]!, output(1, 5)[1]!, ...postrouting(1, 5), output(2, 6)[1]!, ...postrouting(2, 6)], packets: [both, both],
	},
	{
		title: 'nft: a trace id that is used again by another packet', events: [...output(1, 5), ...postrouting(1, 5), ...output(1, 6), ...postrouting(1, 6)], packets: [both, both],
	},
	{
		title: 'nft: a packet that changes its trace id on lo', events: [...output(1, 5), ...postrouting(1, 5), nftEnd({traceId: 2, table: 'mangle', chain: 'PREROUTING', packet: header({sequence: 5, destination: {address: '127.0.0.1', port: 15_001}})}), nftPolicy({traceId: 2, table: 'mangle', chain: 'PREROUTING'})],
		packets: [`${both}, mangle:PREROUTING =policy accept`],
	},
	{
		title: 'nft: a repetition is an attempt of its own, even with the same trace id', events: [switched({packet: header({sequence: 5})}), ...output(1, 5), switched({packet: header({sequence: 5})}), ...output(1, 5), ...postrouting(1, 5)], packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept', both], seen: [true, true],
	},
	{title: 'nft: the switch alone', events: [switched()], packets: [''], seen: [true]},
	{title: 'nft: the switch\'s later events are no packets', events: [switched(), nftEnd({family: 'inet', table: 'switch', chain: 'output'}), nftPolicy({family: 'inet', table: 'switch', chain: 'output'})], packets: [''], seen: [true]},
	{title: 'nft: the way stays open without its end', events: [output(1, 5)[0]!], packets: ['OUTPUT OUTPUT#1 =open']},
	{title: 'nft: a dropping policy', events: [nftPolicy({packet: header(), verdict: 'drop'})], packets: ['OUTPUT =policy drop']},
	{title: 'nft: a handle that no rule has', events: [nftEvent({handle: 990, packet: header()})], packets: ['OUTPUT OUTPUT#? =open']},
	{title: 'nft: an event of no packet', events: [output(1, 5)[1]!, ...postrouting(1, 5)], packets: ['POSTROUTING =policy accept'], orphans: 1},
	{title: 'nft: an event of no packet behind the switch', events: [switched(), output(1, 5)[1]!], packets: [''], orphans: 1, seen: [true]},
	{title: 'nft: the first event of the second base chain is missing', events: [...output(1, 5), postrouting(1, 5)[1]!], packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept'], orphans: 1},
	{
		title: 'nft: the first event of another table\'s chain of the same name is missing', events: [nftEnd({table: 'raw', packet: header()}), nftPolicy({table: 'raw'}), nftPolicy({table: 'mangle'})], packets: ['raw:OUTPUT =policy accept'], orphans: 1,
	},
	{title: 'nft: the same where the first chain is still open', events: [nftEnd({table: 'raw', packet: header()}), nftPolicy({table: 'mangle'})], packets: ['raw:OUTPUT =open'], orphans: 1},
	{
		title: 'nft: a packet is not continued by another one that has its trace id', events: [output(1, 5)[0]!, switched({packet: header({sequence: 6})}), output(1, 6)[1]!], packets: ['OUTPUT OUTPUT#1 =open', ''], orphans: 1, seen: [false, true],
	},
	{title: 'nft: the same in another family', events: [nftEnd({packet: header()}), nftPolicy({family: 'ip6'})], packets: ['OUTPUT =open'], orphans: 1},
	{title: 'nft: a jump in the middle is missing', events: [output(1, 5)[0]!, nftEvent({chain: 'OTHER', verdict: 'accept'})], packets: ['OUTPUT OUTPUT#1 =open'], orphans: 1},
	{
		title: 'nft: a packet without ports or number is known by its identification', events: [
			nftPolicy({packet: header({protocol: 1, sequence: undefined, identification: 1})}), nftPolicy({packet: header({protocol: 1, sequence: undefined, identification: 2})}),
			nftPolicy({table: 'raw', packet: header({protocol: 1, sequence: undefined, identification: 1})}),
		], packets: ['OUTPUT =policy accept, raw:OUTPUT =policy accept', 'OUTPUT =policy accept'],
	},
	{
		title: 'nft: two UDP packets with the same identification are told apart by their source', events: [
			nftPolicy({packet: header({protocol: 17, sequence: undefined})}), nftPolicy({packet: header({protocol: 17, sequence: undefined, source: {address: '10.244.1.10', port: 1}})}),
		], packets: ['OUTPUT =policy accept', 'OUTPUT =policy accept'],
	},

	{
		title: 'legacy: two datagrams from one port, whose logs come after the switch has seen both, are told apart by their flow labels', events: [
			switched({packet: datagram(1)}), switched({traceId: 2, packet: datagram(2)}), logged('OUTPUT', 1, {packet: datagram(1)}), logged('MINE', 1, {packet: datagram(1)}), logged('OUTPUT', 2, {kind: 'policy', packet: datagram(2)}),
		], packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept', 'OUTPUT =policy accept'], seen: [true, true],
	},
	{title: 'legacy: rules, a final one', events: [logged('OUTPUT', 1), logged('MINE', 1)], packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept']},
	{title: 'legacy: back from a chain to the policy', events: [logged('OUTPUT', 1), logged('MINE', 2), logged('OUTPUT', 2, {kind: 'policy'})], packets: ['OUTPUT OUTPUT#1 MINE#2 =policy accept']},
	{title: 'legacy: the end of a chain is no hit', events: [logged('OUTPUT', 1), logged('MINE', 3, {kind: 'return'}), logged('OUTPUT', 2, {kind: 'policy'})], packets: ['OUTPUT OUTPUT#1 =policy accept']},
	{title: 'legacy: an unconditional rule is logged as the end of its chain', events: [logged('OUTPUT', 1), logged('MINE', 1, {kind: 'return'})], packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept']},
	{title: 'legacy: a final rule of the base chain', events: [logged('PREROUTING', 1, {hook: 'prerouting'})], packets: ['PREROUTING PREROUTING#1 =rule drop']},
	{title: 'legacy: a rule that the set does not hold keeps its number', events: [logged('OUTPUT', 7)], packets: ['OUTPUT OUTPUT#7 =open']},
	{
		title: 'legacy: the packet\'s destination changes, and it is the same packet', events: [logged('OUTPUT', 1), logged('MINE', 1), logged('POSTROUTING', 1, {kind: 'policy', hook: 'postrouting', packet: header({destination: {address: '127.0.0.1', port: 15_001}})})],
		packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept, POSTROUTING =policy undefined'],
	},
	{
		title: 'legacy: the switch\'s events come first', events: [switched(), switched({traceId: 2, packet: header({sequence: 2000})}), logged('OUTPUT', 1), logged('OUTPUT', 1, {packet: header({sequence: 2000})}), logged('MINE', 1), logged('MINE', 1, {packet: header({sequence: 2000})})],
		packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept', 'OUTPUT OUTPUT#1 MINE#1 =rule accept'], seen: [true, true],
	},
	{
		title: 'legacy: a repetition is an attempt of its own', events: [switched(), switched(), logged('OUTPUT', 1), logged('MINE', 1), logged('OUTPUT', 1), logged('MINE', 1)], packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept', 'OUTPUT OUTPUT#1 MINE#1 =rule accept'], seen: [true, true],
	},
	// A SYN that is sent again after a second: conntrack knows the connection by then, so nat does not look at it.
	{
		title: 'nft: sent again, and met by the switch alone, it is a packet of its own', events: [switched(), ...output(1, 1000), ...postrouting(1, 1000), switched()], packets: [both, ''], seen: [true, true],
	},
	{
		title: 'nft: sent again three times', events: [switched(), ...output(1, 1000), switched(), switched({traceId: 3}), switched()], packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept', '', '', ''], seen: [true, true, true, true],
	},
	{
		title: 'nft: one packet over lo meets both entries of the switch', events: [switched(), ...output(1, 1000), switched({chain: 'prerouting', packet: header({destination: {address: '127.0.0.1', port: 15_001}})})], packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept'], seen: [true],
	},
	{
		title: 'nft: sent again over lo, each meets both', events: [1, 2].flatMap(traceId => [switched({traceId}), switched({traceId, chain: 'prerouting', packet: header({destination: {address: '127.0.0.1', port: 15_001}})})]), packets: ['', ''], seen: [true, true],
	},
	{title: 'nft: it came in from outside, and once more', events: [switched({chain: 'prerouting'}), switched({chain: 'prerouting'})], packets: ['', ''], seen: [true, true]},
	{
		title: 'legacy: sent again before its log is read, nat has seen the first alone', events: [switched(), switched(), logged('OUTPUT', 1), logged('MINE', 1), logged('POSTROUTING', 1, {kind: 'policy', hook: 'postrouting'})],
		packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept, POSTROUTING =policy undefined', ''], seen: [true, true],
	},
	{
		title: 'legacy: sent again twice before its log is read, raw has seen all three', events: [switched(), switched(), switched(), logged('OUTPUT', 9, {table: 'raw', kind: 'policy'}), logged('OUTPUT', 1), logged('MINE', 1), logged('OUTPUT', 9, {table: 'raw', kind: 'policy'}), logged('OUTPUT', 9, {table: 'raw', kind: 'policy'})],
		packets: ['raw:OUTPUT =policy undefined, OUTPUT OUTPUT#1 MINE#1 =rule accept', 'raw:OUTPUT =policy undefined', 'raw:OUTPUT =policy undefined'], seen: [true, true, true],
	},
	{
		title: 'legacy: the switch\'s word of the second is missing', events: [switched(), logged('OUTPUT', 9, {table: 'raw', kind: 'policy'}), logged('OUTPUT', 1), logged('MINE', 1), logged('OUTPUT', 9, {table: 'raw', kind: 'policy'})],
		packets: ['raw:OUTPUT =policy undefined, OUTPUT OUTPUT#1 MINE#1 =rule accept', 'raw:OUTPUT =policy undefined'], seen: [true, true],
	},
	// NFLOG comes by another socket, which may be read further than the switch's: measured on a processor with a quota, where nat looked at the second SYN as well.
	{
		title: 'legacy: the log of the packet sent again is read before the switch\'s word of it',
		events: [switched(), logged('OUTPUT', 1), logged('MINE', 1), logged('OUTPUT', 1), logged('MINE', 1), switched()],
		packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept', 'OUTPUT OUTPUT#1 MINE#1 =rule accept'], seen: [true, true],
	},
	{
		title: 'legacy: the logs of both are read before the switch\'s word of the first, over lo',
		events: [
			...[1, 2].flatMap(() => [logged('OUTPUT', 1), logged('MINE', 1)]),
			...[1, 2].flatMap(traceId => [switched({traceId}), switched({traceId, chain: 'prerouting', packet: header({destination: {address: '127.0.0.1', port: 15_001}})})]),
		],
		packets: ['OUTPUT OUTPUT#1 MINE#1 =rule accept', 'OUTPUT OUTPUT#1 MINE#1 =rule accept'], seen: [true, true],
	},
	{
		title: 'legacy: the log is two attempts ahead of the switch, and a fourth attempt meets the switch alone',
		events: [switched(), ...[1, 2, 3].map(() => logged('OUTPUT', 9, {table: 'raw', kind: 'policy'})), switched(), switched(), switched()],
		packets: ['raw:OUTPUT =policy undefined', 'raw:OUTPUT =policy undefined', 'raw:OUTPUT =policy undefined', ''], seen: [true, true, true, true],
	},
	{title: 'legacy: without the switch a packet is not seen', events: [logged('OUTPUT', 1)], packets: ['OUTPUT OUTPUT#1 =open'], seen: [false]},
];

for (const {title, events, packets: wanted, orphans = 0, seen} of rows) {
	test(`packets of a trace, ${title}`, t => {
		const {packets, orphans: found} = assemblePackets(events, lookup);
		t.deepEqual(packets.map(packet => printTraversals(packet)), wanted);
		t.is(found, orphans);
		if (seen !== undefined) {
			t.deepEqual(packets.map(packet => packet.seen), seen);
		}
	});
}

const hooks = ['OUTPUT', 'POSTROUTING', 'PREROUTING', 'INPUT'] as const;

test('over lo a packet passes four hooks of mangle, each once, in order', t => {
	const nft = hooks.flatMap((chain, index) => [nftEnd({table: 'mangle', chain, traceId: index < 2 ? 1 : 2, packet: header()}), nftPolicy({table: 'mangle', chain, traceId: index < 2 ? 1 : 2})]);
	const legacy = hooks.map(chain => logEvent({
		kind: 'policy', table: 'mangle', chain, hook: ({OUTPUT: 'output', POSTROUTING: 'postrouting', PREROUTING: 'prerouting', INPUT: 'input'} as const)[chain],
	}));
	for (const events of [nft, legacy]) {
		const {packets} = assemblePackets(events, lookup);
		t.deepEqual(packets.map(({traversals}) => traversals.map(({chain, hook}) => [chain, hook])), [hooks.map(chain => [chain, chain.toLowerCase() as Lowercase<typeof chain>])]);
	}
});

test('events of the trace table about the first attempt are not taken for the second, which NFLOG has already shown', t => {
	const logs = [1, 2].flatMap(() => [logged('OUTPUT', 1), logged('MINE', 1)]);
	const printed = (events: readonly TraceEvent[]) => assemblePackets(events, lookup).packets.map(({seen, entry}) => [seen, entry]);
	t.deepEqual(printed([...logs, switched()]), [[true, 'output'], [false, undefined]]);
	t.deepEqual(printed([...logs, switched(), switched({chain: 'prerouting'})]), [[true, 'output'], [false, undefined]]);
	t.deepEqual(printed([...logs, switched(), switched({chain: 'prerouting'}), switched()]), [[true, 'output'], [true, 'output']]);
});

test('a packet keeps its first header, each traversal has the one that it saw', t => {
	const changed = header({destination: {address: '127.0.0.1', port: 15_001}});
	const [packet] = assemblePackets([switched(), nftPolicy({packet: header()}), nftPolicy({chain: 'POSTROUTING', packet: changed, outInterface: 1})], lookup).packets;
	t.deepEqual(packet!.header, header());
	t.deepEqual(packet!.traversals.map(({destination, inInterface, outInterface}) => [destination.port, inInterface, outInterface]), [[8080, undefined, 'eth0'], [15_001, undefined, 'lo']]);
});

test('a hit has its place, handle, text and verdict; legacy has neither handle nor verdict for a rule that jumps', t => {
	const hitOf = (event: TraceEvent) => assemblePackets([event], lookup).packets[0]!.traversals[0]!.hits[0];
	t.deepEqual(hitOf(nftEvent({packet: header()})), {
		family: 'ip', table: 'nat', chain: 'OUTPUT', number: 1, handle: 10, text: '-j OUTPUT-1', verdict: 'jump',
	});
	t.deepEqual(hitOf(logged('OUTPUT', 1)), {
		family: 'ip', table: 'nat', chain: 'OUTPUT', number: 1, handle: undefined, text: '-j OUTPUT-1', verdict: undefined,
	});
	t.deepEqual(hitOf(nftEvent({handle: 990, packet: header()})), {
		family: 'ip', table: 'nat', chain: 'OUTPUT', number: undefined, handle: 990, text: undefined, verdict: 'jump',
	});
});

test('the owner is the first complete one from NFLOG', t => {
	const ownerOf = (...events: readonly TraceEvent[]) => assemblePackets(events, lookup).packets[0]!.owner;
	t.deepEqual(ownerOf(logged('OUTPUT', 1, {uid: undefined}), logged('MINE', 2, {uid: 5, gid: 6}), logged('MINE', 2, {uid: 7, gid: 8})), {uid: 5, gid: 6});
	// On its way in the socket is the one that TPROXY gave it to.
	t.is(ownerOf(logged('OUTPUT', 1, {uid: 5, gid: 6, hook: 'input'})), undefined);
	t.is(ownerOf(logged('OUTPUT', 1, {gid: undefined})), undefined);
	t.is(ownerOf(nftEvent({packet: header()})), undefined);
});

for (const name of Object.values(invalidChains)) {
	test(`a packet is invalid if the trace table's rule after conntrack matches, and only then: ${name}`, t => {
		const behind = (changes: Parameters<typeof nftEvent>[0]): TraceEvent => switched({chain: name, packet: header({sequence: 5}), ...changes});
		const isInvalid = (...events: readonly TraceEvent[]): ReadonlyArray<true | undefined> => assemblePackets(events, lookup).packets.map(packet => packet.isInvalid);
		const first = switched({packet: header({sequence: 5})});
		t.deepEqual(isInvalid(first, behind({})), [true]);
		// The rule did not match: the chain ends without it.
		t.deepEqual(isInvalid(first, behind({kind: 'return', handle: undefined})), [undefined]);
		t.deepEqual(isInvalid(first), [undefined]);
		t.deepEqual(isInvalid(first, nftEvent({chain: name, packet: header({sequence: 5})})), [undefined]);
		t.deepEqual(isInvalid(first, switched({packet: header({sequence: 6})}), behind({})), [true, undefined]);
	});
}
