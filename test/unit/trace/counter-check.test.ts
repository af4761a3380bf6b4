import test from 'ava';
import type {LoadedRule} from '../../../src/trace/loaded-rules.js';
import type {TracedPacket} from '../../../src/trace/packets.js';
import {compareCounters} from '../../../src/trace/counter-check.js';
import {header} from './_events.js';

const rule = (changes: Partial<LoadedRule> = {}): LoadedRule => ({
	family: 'ip', table: 'nat', chain: 'OUTPUT', number: 1, handle: 9, packets: 0, ...changes,
});

/** A packet that hit a rule so many times. */
function packet(times: number, {family, table, chain, number}: Pick<LoadedRule, 'family' | 'table' | 'chain'> & {readonly number: number | undefined} = rule()): TracedPacket {
	const hit = {
		family, table, chain, number, handle: undefined, text: undefined, verdict: undefined,
	};
	return {
		header: header(),
		seen: true,
		entry: undefined,
		owner: undefined,
		traversals: [{
			hook: 'output',
			family,
			table,
			chain,
			hits: Array.from({length: times}, () => hit),
			end: {by: 'policy', verdict: 'accept'},
			inInterface: undefined,
			outInterface: 'eth0',
			source: header().source,
			destination: header().destination,
		}],
	};
}

const mangle = rule({table: 'mangle'});
const bare = rule({packets: undefined});
const legacy = rule({handle: undefined});

type Row = {
	readonly title: string;
	readonly before: readonly LoadedRule[];
	readonly after: readonly LoadedRule[];
	readonly packets?: readonly TracedPacket[];
	readonly gaps: ReadonlyArray<readonly [kind: string, message: string]>;
};

const rows: readonly Row[] = [
	{title: 'nothing hit, nothing counted', before: [rule()], after: [rule()], gaps: []},
	{title: 'nat: as many as counted', before: [rule({packets: 5})], after: [rule({packets: 8})], packets: [packet(1), packet(2)], gaps: []},
	{title: 'legacy nat: as many as counted', before: [legacy], after: [{...legacy, packets: 1}], packets: [packet(1)], gaps: []},
	{title: 'nat: the counter says more', before: [rule()], after: [rule({packets: 3})], packets: [packet(2)], gaps: [['counter-mismatch', 'ip nat OUTPUT#1: its counter says 3 packets, the trace 2.']]},
	{title: 'nat: the trace says more', before: [rule({packets: 3})], after: [rule({packets: 3})], packets: [packet(1)], gaps: [['counter-mismatch', 'ip nat OUTPUT#1: its counter says 0 packets, the trace 1.']]},
	{title: 'nat: the counter went back', before: [rule({packets: 3})], after: [rule({packets: 0})], gaps: [['counter-mismatch', 'ip nat OUTPUT#1: its counter says -3 packets, the trace 0.']]},
	{title: 'mangle: the counter may say more', before: [mangle], after: [{...mangle, packets: 30}], packets: [packet(2, mangle)], gaps: []},
	{title: 'mangle: as many as counted', before: [mangle], after: [{...mangle, packets: 2}], packets: [packet(2, mangle)], gaps: []},
	{title: 'mangle: the counter must not say less', before: [mangle], after: [{...mangle, packets: 1}], packets: [packet(2, mangle)], gaps: [['counter-mismatch', 'ip mangle OUTPUT#1: its counter says 1 packets, the trace 2.']]},
	{title: 'the twin in the other family does not count', before: [rule()], after: [rule()], packets: [packet(1, rule({family: 'ip6'}))], gaps: []},
	{title: 'a rule without a counter that was hit', before: [bare], after: [bare], packets: [packet(2)], gaps: [['unwitnessed', 'ip nat OUTPUT#1 has no counter, so nothing confirms the 2 packets that the trace shows.']]},
	{title: 'a rule without a counter that was not hit', before: [bare], after: [bare], gaps: []},
	{title: 'a counter that only came later', before: [bare], after: [rule({packets: 1})], packets: [packet(1)], gaps: [['unwitnessed', 'ip nat OUTPUT#1 has no counter, so nothing confirms the 1 packets that the trace shows.']]},
	{title: 'a hit of a rule that no listing has is not counted here', before: [], after: [], packets: [packet(1, {...rule(), number: undefined})], gaps: []},
	{title: 'another rule in the same place', before: [rule()], after: [rule({handle: 10, packets: 1})], packets: [packet(1)], gaps: [['rules-differ', 'ip nat OUTPUT#1 was not there, or was another rule, before the run.']]},
	{
		title: 'a rule more', before: [rule()], after: [rule(), rule({number: 2, handle: 10})], gaps: [
			['rules-differ', 'The kernel had 1 rules before the run and 2 after it.'], ['rules-differ', 'ip nat OUTPUT#2 was not there, or was another rule, before the run.'],
		],
	},
	{title: 'another legacy rule in the same place', before: [{...legacy, text: '-j A'}], after: [{...legacy, text: '-j B'}], gaps: [['rules-differ', 'ip nat OUTPUT#1 was not there, or was another rule, before the run.']]},
	{title: 'a rule less', before: [rule(), rule({number: 2, handle: 10})], after: [rule()], gaps: [['rules-differ', 'The kernel had 2 rules before the run and 1 after it.']]},
	{
		title: 'rules that changed their places', before: [rule({handle: 1}), rule({number: 2, handle: 2})], after: [rule({handle: 2}), rule({number: 2, handle: 1})], gaps: [
			['rules-differ', 'ip nat OUTPUT#1 was not there, or was another rule, before the run.'], ['rules-differ', 'ip nat OUTPUT#2 was not there, or was another rule, before the run.'],
		],
	},
];

for (const {title, before, after, packets = [], gaps} of rows) {
	test(`hits and counters are compared: ${title}`, t => {
		t.deepEqual(compareCounters({before, after, packets}).map(({kind, message}) => [kind, message]), gaps.map(row => [...row]));
	});
}
