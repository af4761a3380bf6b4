import test from 'ava';
import {classify} from '../../../src/packet-classes/classify.js';
import type {ProbedFamily} from '../../../src/comparison/comparison.js';
import type {ProbeResult, Statement} from '../../../src/comparison/moves.js';
import {mutantsOf} from '../../../src/mutation/mutants.js';
import {
	detectionBy, familiesOfMutant, mutantStatusOf, exitStatusOfMutants, scoreOf, standingOf, type Detection, type MutantStatus, type MutantResult,
} from '../../../src/mutation/status.js';
import {representativesOf} from '../../../src/packet-classes/representatives.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import {defaultTopology} from '../../../src/mesh/topology.js';
import type {Gap} from '../../../src/trace/gap.js';
import {ofIstio} from '../../helpers/mesh.js';

const ruleSet = parseSave('*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n', 'ipv4');
const [mutant] = mutantsOf(ofIstio(ruleSet), ['ipv4']).mutants;
const gap: Gap = {kind: 'no-end', message: 'Nobody knows.'};

/** One family flown, with the same made-up flight of each representative on a side. */
function probed(from: ProbeResult, to: ProbeResult): ProbedFamily {
	const classSet = classify([{ruleSet, localMarks: []}, {ruleSet, localMarks: []}], {family: 'ipv4', topology: defaultTopology});
	const representatives = representativesOf(classSet, defaultTopology);
	return {
		classSet,
		representatives,
		sides: {from: {ruleSet: ofIstio(ruleSet), probeResults: representatives.map(() => from)}, to: {ruleSet: ofIstio(ruleSet), probeResults: representatives.map(() => to)}},
	};
}

function probeResult(port: number, {gaps = [], isSeen = true}: {readonly gaps?: readonly Gap[]; readonly isSeen?: boolean} = {}): ProbeResult {
	const [from, to] = [{address: '10.244.1.10', port: 40_000}, {address: '10.244.1.20', port: 8080}];
	return {
		legs: isSeen
			? [{
				actor: 'app', family: 'ipv4', protocol: 'tcp', from, to, socket: undefined, traversals: [], end: {kind: 'refused'}, deliveredTo: {address: to.address, port},
			}]
			: [],
		gaps,
		isLoop: false,
	};
}

/** Without traversals the reading of the rules differs from what was seen, which is a gap of its own; where hits do not matter, it is expected. */
function kindOf(mutantStatus: MutantStatus): string {
	return mutantStatus.kind === 'differs' ? `differs by ${mutantStatus.isByStops ? 'stops' : 'paths'}` : mutantStatus.kind;
}

test('probes that arrive elsewhere are a difference', t => {
	t.is(kindOf(mutantStatusOf([probed(probeResult(8080), probeResult(9999))])), 'differs by stops');
});

for (const [title, from, to] of [
	['a difference that only a doubtful flight shows is none yet', probeResult(8080), probeResult(9999, {gaps: [gap]})],
	['the same where the original is in doubt', probeResult(8080, {gaps: [gap]}), probeResult(9999)],
	['equal flights with a gap prove nothing', probeResult(8080, {gaps: [gap]}), probeResult(8080, {gaps: [gap]})],
	['a side on which nothing was seen proves nothing', probeResult(8080, {isSeen: false}), probeResult(8080, {isSeen: false})],
	['a packet that was seen on one side only is no difference', probeResult(8080), probeResult(8080, {isSeen: false})],
] as const) {
	test(title, t => {
		t.is(kindOf(mutantStatusOf([probed(from, to)])), 'inconclusive');
	});
}

test('if no family was probed, nothing is equivalent', t => {
	t.deepEqual(mutantStatusOf([]), {kind: 'inconclusive', gaps: [{kind: 'not-sent', message: 'No packet was seen on its path through the rules, so there is nothing to compare.'}]});
});

const statement = {traffic: ['TCP'], from: ['direct'], to: ['loop']} as unknown as Statement;
const mutantStatuses = {
	stops: {kind: 'differs', isByStops: true, statements: [statement]},
	paths: {kind: 'differs', isByStops: false, statements: [statement]},
	equal: {kind: 'equivalent', classes: 19, probes: 32},
	rejected: {kind: 'rejected', reason: 'No.'},
	doubtful: {kind: 'inconclusive', gaps: [gap]},
} as const satisfies Record<string, MutantStatus>;
const killed: Detection = {kind: 'killed', by: ['type 1']};
const survived: Detection = {kind: 'survived'};
const unknown: Detection = {kind: 'inconclusive', reasons: ['Lost.']};

function result(mutantStatus: keyof typeof mutantStatuses, types?: Detection): MutantResult {
	return {mutant: mutant!, mutantStatus: mutantStatuses[mutantStatus], detections: new Map(types === undefined ? [] : [['types', types]])};
}

for (const [mutantStatus, types, cases, wanted, exit] of [
	['stops', killed, ['types'], 'killed', 0],
	['stops', survived, ['types'], 'survived', 1],
	['stops', survived, ['types', 'complete'], 'killed', 0],
	['paths', survived, ['types', 'complete'], 'killed', 0],
	['stops', unknown, ['types'], 'inconclusive', 3],
	['stops', undefined, ['types'], 'inconclusive', 3],
	['stops', undefined, [], 'inconclusive', 3],
	['doubtful', killed, ['types'], 'killed', 0],
	['doubtful', survived, ['types'], 'inconclusive', 3],
	['doubtful', survived, ['types', 'complete'], 'inconclusive', 3],
	['equal', undefined, ['types'], 'left-out', 3],
	['rejected', undefined, ['types', 'complete'], 'left-out', 3],
] as const) {
	test(`${mutantStatus}, types ${types?.kind ?? 'not played'}, cases ${cases.join(' and ') || 'none'}: ${wanted}`, t => {
		t.is(standingOf(result(mutantStatus, types), cases), wanted);
		t.is(exitStatusOfMutants([result(mutantStatus, types)], cases), exit);
	});
}

test('survived comes before inconclusive, and inconclusive before killed', t => {
	t.is(exitStatusOfMutants([result('stops', killed), result('stops', unknown), result('stops', survived)], ['types']), 1);
	t.is(exitStatusOfMutants([result('stops', killed), result('stops', unknown)], ['types']), 3);
	t.is(exitStatusOfMutants([result('stops', killed), result('equal')], ['types']), 0);
	t.is(exitStatusOfMutants([], ['complete']), 3);
});

test('the score counts what differs, and the complete probes by stops less than by paths', t => {
	const results = [result('stops', killed), result('stops', survived), result('paths', unknown), result('equal'), result('rejected'), result('doubtful', killed)];
	t.deepEqual(scoreOf('types', results), {
		cases: 'types', killed: 1, of: 3, inconclusive: 1,
	});
	t.like(scoreOf('complete', results), {killed: 3, of: 3});
	t.like(scoreOf('complete', results, {isByStops: true}), {killed: 2, of: 3});
});

test('cases that did not run are reported', t => {
	t.deepEqual(detectionBy('scenarios', result('stops', killed)), {kind: 'inconclusive', reasons: ['scenarios were not run with it.']});
});

test('a rule of one family is compared in that family, one of inet in all that were asked for', t => {
	t.deepEqual((['ip', 'ip6', 'inet'] as const).map(family => familiesOfMutant({family}, ['ipv4', 'ipv6']).join(' ')), ['ipv4', 'ipv6', 'ipv4 ipv6']);
});
