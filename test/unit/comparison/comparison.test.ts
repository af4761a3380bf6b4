/** What a comparison comes to: doubt is never equal, and what moved is told beside a doubt. */

import test from 'ava';
import {judgeComparison, judgeInSteps, type ProbedFamily} from '../../../src/comparison/comparison.js';
import type {ProbeResult} from '../../../src/comparison/moves.js';
import {SideMemo} from '../../../src/comparison/side-memo.js';
import {finish} from '../../../src/packet-classes/steps.js';
import {exitStatusOfComparison} from '../../../src/report/comparison/types.js';
import {rulesOfRelease, rulesOfTable} from '../../helpers/class-sets.js';
import {compareSets, sendBoth} from '../../helpers/probe-results.js';

const [from, to] = [rulesOfRelease('release:1.30'), rulesOfRelease('release:1.30 -o 9090')];

/** The same flown, with a flight of one side changed. */
function spoil(probed: readonly ProbedFamily[], change: (probeResult: ProbeResult) => ProbeResult): readonly ProbedFamily[] {
	return probed.map(({sides: {from, to}, ...rest}) => ({
		...rest, sides: {from, to: {...to, probeResults: to.probeResults.map((probeResult, place) => place === 0 ? change(probeResult) : probeResult)}},
	}));
}

test('the same rules are equal, over a number of classes and fields', t => {
	const {outcome, statements, gaps, families} = compareSets(from, from, {families: ['ipv4', 'ipv6'], arePathsCompared: true});
	t.is(outcome, 'equal');
	t.is(exitStatusOfComparison({outcome}), 0);
	t.deepEqual([statements, gaps], [[], []]);
	t.deepEqual(families.map(({family}) => family), ['ipv4', 'ipv6']);
	t.true(families.every(({classes, probes, fields, leftOut}) => classes > 10 && probes > classes && fields.includes('uid') && leftOut.length > 0));
});

test('different traffic is reported as moved', t => {
	const {outcome, statements} = compareSets(from, to);
	t.is(outcome, 'moved');
	t.is(exitStatusOfComparison({outcome}), 1);
	t.true(statements.length > 0);
});

test('a gap of one flight makes equal inconclusive, once for all that have it', t => {
	const gap = {kind: 'lost-events', message: 'One event was lost.'} as const;
	const probed = sendBoth(from, from, ['ipv4', 'ipv6']);
	const {outcome, gaps, statements} = judgeComparison(spoil(probed, probeResult => ({...probeResult, gaps: [gap]})), {arePathsCompared: false});
	t.is(outcome, 'inconclusive');
	t.is(exitStatusOfComparison({outcome}), 3);
	t.deepEqual([gaps, statements], [[gap], []]);
});

test('a kernel that goes another way than was read is inconclusive, though both sides do', t => {
	const withoutLast = (probeResult: ProbeResult): ProbeResult => ({
		...probeResult, legs: probeResult.legs.map(leg => ({...leg, traversals: leg.traversals.map(traversal => ({...traversal, hits: traversal.hits.slice(0, -1)}))})),
	});
	const probed = sendBoth(from, from).map(({sides, ...rest}) => {
		const probeResults = sides.from.probeResults.map(probeResult => withoutLast(probeResult));
		return {...rest, sides: {from: {...sides.from, probeResults}, to: {...sides.to, probeResults}}};
	});
	const {outcome, gaps} = judgeComparison(probed, {arePathsCompared: true});
	t.is(outcome, 'inconclusive');
	t.deepEqual(gaps.map(({kind}) => kind), ['reading']);
});

test('moves are reported besides a gap', t => {
	const {outcome, gaps} = judgeComparison(spoil(sendBoth(from, to), probeResult => ({...probeResult, gaps: [{kind: 'no-end', message: 'It did not end.'}]})), {arePathsCompared: false});
	t.is(outcome, 'moved');
	t.is(gaps.length, 1);
});

test('another path to the same stops is reported only if paths are compared', t => {
	const rules = ['-A OUTPUT -p tcp -m owner --uid-owner 1337 -j RETURN', '-A OUTPUT -p tcp -j REDIRECT --to-ports 15001'];
	const [one, other] = [rulesOfTable('nat', rules), rulesOfTable('nat', ['-A OUTPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 15001', ...rules.slice(1)])];
	const same = rulesOfTable('nat', [rules[0]!, '-A OUTPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 15001', rules[1]!]);
	t.is(compareSets(one, same).outcome, 'equal');
	const {outcome, statements} = compareSets(one, same, {arePathsCompared: true});
	t.is(outcome, 'moved');
	t.true(statements.every(({severity}) => severity === 'path'));
	t.is(compareSets(one, other).outcome, 'moved');
});

test('a rule moved without effect is equal', t => {
	const rules = ['-A OUTPUT -p tcp -m tcp --dport 80 -j RETURN', '-A OUTPUT -p udp -j RETURN'];
	t.is(compareSets(rulesOfTable('nat', rules), rulesOfTable('nat', rules.toReversed()), {arePathsCompared: true}).outcome, 'equal');
});

test('sides that are other places of the classes are read by those', t => {
	const [probed] = sendBoth(from, to);
	const swapped = {...probed!, sides: {from: probed!.sides.to, to: probed!.sides.from}};
	t.true(judgeComparison([swapped], {arePathsCompared: false}).gaps.length > 0);
	t.deepEqual(judgeComparison([{...swapped, places: {from: 1, to: 0}}], {arePathsCompared: false}).gaps, []);
});

test('what is known about a side is the same in each pair, and not taken for that of another side', t => {
	const memo = new SideMemo();
	const forth = sendBoth(from, to);
	const back = forth.map(({sides, ...rest}) => ({...rest, sides: {from: sides.to, to: sides.from}, places: {from: 1, to: 0}}));
	const gap = {kind: 'lost-events', message: 'One event was lost.'} as const;
	const withoutHits = spoil(back, probeResult => ({...probeResult, legs: probeResult.legs.map(leg => ({...leg, traversals: []}))}));
	const series = [forth, back, forth, spoil(back, probeResult => ({...probeResult, gaps: [gap]})), withoutHits, back];
	for (const [place, pair] of series.entries()) {
		const alone = judgeComparison(pair, {arePathsCompared: true});
		t.deepEqual(finish(judgeInSteps(pair, {arePathsCompared: true, memo})), alone);
		t.deepEqual(alone.gaps.map(({kind}) => kind), [[], [], [], ['lost-events'], ['reading'], []][place]);
	}
});
