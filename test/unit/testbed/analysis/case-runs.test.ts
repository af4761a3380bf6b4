/** What runs with cases of several sets say about a mutant, for each set. */

import test from 'ava';
import type {RunEntry} from '../../../../src/report/run/many.js';
import type {Outcome} from '../../../../src/judge/outcome.js';
import type {Detection} from '../../../../src/mutation/status.js';
import {detectionIn, withDetection} from '../../../../testbed/analysis/case-runs.js';
import type {CaseSet} from '../../../../testbed/analysis/test-cases.js';

const types: CaseSet = {name: 'types', runs: [], leftOut: []};
const scenarios: CaseSet = {name: 'scenarios', runs: [], leftOut: []};
const owners = [{set: types, name: '1 out, ipv4'}, {set: scenarios, name: 'udp/1 in, ipv4'}, {set: scenarios, name: 'udp/2 out, ipv4'}];

const pass = {kind: 'pass'};
const fail = {kind: 'fail', differences: []};
const doubt = {kind: 'inconclusive', reasons: [{kind: 'lost-events', message: 'Events were lost.'}]};

const entryOf = (...outcomes: ReadonlyArray<{readonly kind: string}>): RunEntry => ({kind: 'report', report: {types: outcomes.map(outcome => ({outcome: outcome as Outcome}))}} as unknown as RunEntry);
const all = new Set([0, 1, 2]);

test('each set gets what its own trusted cases say', t => {
	const entry = entryOf(pass, fail, doubt);
	t.deepEqual(detectionIn(entry, {owners, trusted: all}, types), {kind: 'survived'});
	t.deepEqual(detectionIn(entry, {owners, trusted: all}, scenarios), {kind: 'killed', by: ['udp/1 in, ipv4']});
});

test('a case that is not trusted says nothing', t => {
	const entry = entryOf(fail, fail, doubt);
	t.deepEqual(detectionIn(entry, {owners, trusted: new Set([0, 2])}, scenarios), {kind: 'inconclusive', reasons: ['Events were lost.']});
	t.deepEqual(detectionIn(entry, {owners, trusted: new Set([0])}, types), {kind: 'killed', by: ['1 out, ipv4']});
});

test('a run that did not happen is a doubt, with its reason', t => {
	const entry = {kind: 'inconclusive', reason: 'nft is missing'} as unknown as RunEntry;
	t.deepEqual(detectionIn(entry, {owners, trusted: all}, types), {kind: 'inconclusive', reasons: ['nft is missing']});
});

const killed = (by: string): Detection => ({kind: 'killed', by: [by]});
const doubts = (...reasons: string[]): Detection => ({kind: 'inconclusive', reasons});
const survived: Detection = {kind: 'survived'};

for (const [title, earlier, later, together] of [
	['the first run', undefined, survived, survived],
	['the first that kills counts', killed('a'), killed('b'), killed('a')],
	['a failure is certain, whatever is in doubt', doubts('x'), killed('b'), killed('b')],
	['a failure stays certain', killed('a'), doubts('x'), killed('a')],
	['a doubt stays', doubts('x'), survived, doubts('x')],
	['a doubt comes later', survived, doubts('y'), doubts('y')],
	['doubts add up', doubts('x'), doubts('y'), doubts('x', 'y')],
	['survived twice', survived, survived, survived],
] as const) {
	test(`two runs: ${title}`, t => {
		t.deepEqual(withDetection(earlier, later), together);
	});
}
