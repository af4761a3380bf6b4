/** What a user's file claims of a probe, against what was observed: each claim seen to hold, and seen to fail. */

import test from 'ava';
import type {Leg} from '../../../src/netfilter/path.js';
import {judge} from '../../../src/judge/judge.js';
import {describeDifference} from '../../../src/report/run/describe-differences.js';
import {printDifferences} from '../../../src/report/run/text-differences.js';
import {createPainter} from '../../../src/report/terminal/colors.js';
import type {ExpectedLeg, ExpectedPath} from '../../../src/mesh/traffic.js';
import {observed} from '../../helpers/observed.js';
import {ofIstio} from '../../helpers/mesh.js';

const from = {address: '10.244.1.10', port: 40_000};
const to = {address: '10.244.1.20', port: 8080};
const leg = (changes: Partial<Leg> = {}): Leg => ({
	actor: 'app', family: 'ipv4', protocol: 'tcp', from, to, socket: {uid: 1000, gid: 1000}, traversals: [], end: {kind: 'accepted', stop: 'remote:8080'}, ...changes,
});
const wanted = (changes: Partial<ExpectedLeg> = {}): ExpectedLeg => ({
	actor: 'app', roles: null, stop: 'remote:8080', ...changes,
});
const through: Leg = leg({
	traversals: [{
		hook: 'output',
		family: 'ip',
		table: 'nat',
		chain: 'OUTPUT',
		hits: [{
			family: 'ip', table: 'nat', chain: 'OUTPUT', number: 1, handle: 1, text: '-j RETURN', verdict: 'accept',
		}],
		end: {by: 'rule', verdict: 'accept'},
		inInterface: undefined,
		outInterface: 'eth0',
		source: from,
		destination: to,
	}],
});
const dropped = leg({end: {kind: 'dropped', by: through.traversals[0]!.hits[0]}});

type Case = {readonly title: string; readonly expected: ExpectedPath; readonly legs: readonly Leg[]; readonly loop?: boolean; readonly says: string};

const table: readonly Case[] = [
	{
		title: 'only the stops', expected: {legs: [wanted()]}, legs: [through], says: 'pass',
	},
	{
		title: 'another stop, no rule claimed', expected: {legs: [wanted({stop: 'proxy:15001'})]}, legs: [through], says: 'Leg 1, opened by app, should have reached proxy:15001 but reached remote:8080: OUTPUT#1 (a rule with no known role) decided.',
	},
	{
		title: 'refused', expected: {legs: [wanted({stop: 'refused'})]}, legs: [leg({end: {kind: 'refused'}})], says: 'pass',
	},
	{
		title: 'refused, and it was accepted', expected: {legs: [wanted({stop: 'refused'})]}, legs: [leg()], says: 'Leg 1, opened by app, should have reached refused but reached remote:8080: no further rule matched.',
	},
	{
		title: 'dropped, by whatever rule', expected: {legs: [wanted({stop: 'dropped'})]}, legs: [dropped], says: 'pass',
	},
	{
		title: 'dropped, and it was refused', expected: {legs: [wanted({stop: 'dropped'})]}, legs: [leg({end: {kind: 'refused'}})], says: 'Leg 1, opened by app, should have reached dropped but was refused: no further rule matched.',
	},
	{
		title: 'a path', expected: {legs: [wanted()], path: ['app', 'OUTPUT#1', 'remote:8080']}, legs: [through], says: 'pass',
	},
	{
		title: 'another step', expected: {legs: [wanted()], path: ['app', 'OUTPUT#2', 'remote:8080']}, legs: [through], says: 'In leg 1 the step OUTPUT#2 was expected, but OUTPUT#1 was observed.',
	},
	{
		title: 'a step too many', expected: {legs: [wanted()], path: ['app', 'OUTPUT#1', 'remote:8080', 'OUTPUT']}, legs: [through], says: 'In leg 1 the step OUTPUT was expected, but none was observed.',
	},
	{
		title: 'a step too few, in the second leg', expected: {legs: [wanted({stop: 'proxy:1'}), wanted({actor: 'proxy'})], path: ['app', 'proxy:1', 'OUTPUT#1']}, legs: [leg({end: {kind: 'accepted', stop: 'proxy:1'}}), {...through, actor: 'proxy'}], says: 'In leg 2 no further step was expected, but remote:8080 was observed.',
	},
	{
		title: 'a source', expected: {legs: [wanted({source: '10.244.1.10'})]}, legs: [leg()], says: 'pass',
	},
	{
		title: 'another source', expected: {legs: [wanted({source: '127.0.0.6'})]}, legs: [leg()], says: 'Leg 1 reached its listener, with the source 10.244.1.10 instead of 127.0.0.6.',
	},
	{
		title: 'a zone with its answer', expected: {legs: [wanted({zone: 2})]}, legs: [leg({flow: {zone: 2, isReplied: true}})], says: 'pass',
	},
	{
		title: 'another zone', expected: {legs: [wanted({zone: 2})]}, legs: [leg({flow: {zone: 0, isReplied: true}})], says: 'Leg 1 reached its listener, with the conntrack zone 0 instead of 2.',
	},
	{
		title: 'an answer in another zone', expected: {legs: [wanted({zone: 2})]}, legs: [leg({flow: {zone: 2, isReplied: false}})], says: 'Leg 1 reached its listener, with an answer in no zone or a different one instead of in zone 2.',
	},
	{
		title: 'a zone that nobody knows', expected: {legs: [wanted({zone: 2})]}, legs: [leg()], says: 'not-traced: Conntrack shows no entry, or several, for leg 1, opened by app, so its zone is not known.',
	},
	{
		title: 'a loop', expected: {legs: [wanted({stop: 'proxy:1'})], loop: true}, legs: [leg({end: {kind: 'accepted', stop: 'proxy:1'}}), leg({actor: 'proxy', end: {kind: 'accepted', stop: 'proxy:1'}})], loop: true, says: 'pass',
	},
	{
		title: 'a loop of other stops', expected: {legs: [wanted({stop: 'proxy:2'})], loop: true}, legs: [leg({end: {kind: 'accepted', stop: 'proxy:1'}})], loop: true, says: 'Leg 1, opened by app, should have reached proxy:2 but reached proxy:1: no further rule matched.',
	},
	{
		title: 'no loop', expected: {legs: [wanted()], loop: true}, legs: [leg()], says: 'The flow should loop, but it ended: the last connection, opened by app, reached remote:8080.',
	},
	{
		title: 'a loop that nobody expected', expected: {legs: [wanted()]}, legs: [leg()], loop: true, says: 'The flow is a loop: it reached remote:8080 1 times. It left the expected path in leg 1, opened by , where no further rule matched. A real proxy goes on until it has no sockets left, two for each round; Envoy then aborts.',
	},
];

for (const {title, expected, legs, loop = false, says} of table) {
	test(title, t => {
		const {outcome} = judge({
			traffic: {
				id: '1',
				article: null,
				name: 'probe',
				probe: {
					actor: 'app', family: 'ipv4', protocol: 'tcp', destination: to,
				},
				expected,
			},
			observation: observed(legs, {loop}),
			ruleSet: ofIstio({tables: []}),
		});
		switch (outcome.kind) {
			case 'pass': {
				t.is(says, 'pass');
				break;
			}

			case 'fail': {
				t.is(outcome.differences.map(difference => describeDifference(difference)).join(' '), says);
				const text = printDifferences(outcome.differences, {paint: createPainter(false), verbose: false, width: 200}).join('\n');
				t.regex(text, /expected|observed|loop/);
				break;
			}

			case 'inconclusive': {
				t.is(outcome.reasons.map(({kind, message}) => `${kind}: ${message}`).join(' '), says);
				break;
			}
		}
	});
}
