/** What runs with cases of several sets say about a mutant, for each set. */

import test from 'ava';
import type {RunEntry} from '../../../../src/report/run/many.js';
import type {Outcome} from '../../../../src/judge/outcome.js';
import {mutantsOf} from '../../../../src/mutation/mutants.js';
import type {Detection} from '../../../../src/mutation/status.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {
	detectionIn, partOf, withDetection, type TrustedRun,
} from '../../../../testbed/analysis/case-runs.js';
import type {CaseSet} from '../../../../testbed/analysis/test-cases.js';
import type {RunOptions} from '../../../../testbed/run/options.js';
import {ofIstio} from '../../../helpers/mesh.js';

const types: CaseSet = {name: 'types', runs: [], leftOut: []};
const scenarios: CaseSet = {name: 'scenarios', runs: [], leftOut: []};
const owners = [{set: types, name: '1 out, ipv4'}, {set: scenarios, name: 'udp/1 in, ipv4'}, {set: scenarios, name: 'udp/2 out, ipv4'}];

const pass = {kind: 'pass'};
const fail = {kind: 'fail', differences: []};
const doubt = {kind: 'inconclusive', reasons: [{kind: 'lost-events', message: 'Events were lost.'}]};

const entryOf = (...outcomes: ReadonlyArray<{readonly kind: string}>): RunEntry => ({kind: 'report', report: {types: outcomes.map(outcome => ({outcome: outcome as Outcome}))}} as unknown as RunEntry);

test('each set gets what its own cases say', t => {
	const entry = entryOf(pass, fail, doubt);
	t.deepEqual(detectionIn(entry, owners, types), {kind: 'survived'});
	t.deepEqual(detectionIn(entry, owners, scenarios), {kind: 'killed', by: ['udp/1 in, ipv4']});
	t.deepEqual(detectionIn(entryOf(fail, pass, doubt), owners, scenarios), {kind: 'inconclusive', reasons: ['Events were lost.']});
});

const ruleSet = parseSave('*nat\n:OUTPUT ACCEPT\n-A OUTPUT -d 10.0.0.1 -j ACCEPT\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\n-A OUTPUT -p udp -j REDIRECT --to-ports 15053\nCOMMIT\n', 'ipv4');
const [atFirst, atSecond] = [1, 2].map(number => mutantsOf(ofIstio(ruleSet), ['ipv4']).mutants.find(({kind, rule}) => kind === 'delete' && rule.number === number)!);

/** A run of the three cases, in which the packets of each came that far. */
const runOf = (...farthest: ReadonlyArray<number | 'untrusted'>): TrustedRun => ({
	options: {rules: {ruleSet}, scenario: {cases: ['a', 'b', 'c']}} as unknown as RunOptions,
	owners,
	trusted: new Map([...farthest.entries()].flatMap(([place, number]) => number === 'untrusted' ? [] : [[place, new Map([['ip nat OUTPUT', number]])]])),
});

/** The cases of the part of a run. */
const casesIn = (run: TrustedRun, options: Parameters<typeof partOf>[1]): unknown => {
	const part = partOf(run, options);
	return [part.options.scenario?.cases, part.owners.map(({name}) => name)];
};

const isOpen = () => true;

test('a case that is not trusted, or whose packets did not come to the changed rule, is left out', t => {
	t.deepEqual(casesIn(runOf(1, 2, 'untrusted'), {mutant: atFirst!, isOpen}), [['a', 'b'], ['1 out, ipv4', 'udp/1 in, ipv4']]);
	t.deepEqual(casesIn(runOf(1, 'untrusted', 2), {mutant: atSecond!, isOpen}), [['c'], ['udp/2 out, ipv4']]);
	t.deepEqual(casesIn(runOf(1, 1, 1), {mutant: atSecond!, isOpen}), [[], []]);
	t.deepEqual(casesIn(runOf(1, 1, 'untrusted'), {mutant: atSecond!, isWhole: true, isOpen}), [['a', 'b'], ['1 out, ipv4', 'udp/1 in, ipv4']]);
});

test('the cases of a set that has killed the mutant are left out', t => {
	t.deepEqual(casesIn(runOf(2, 2, 2), {mutant: atFirst!, isOpen: set => set === types}), [['a'], ['1 out, ipv4']]);
});

test('the rules of a part are those of the mutant', t => {
	const {options: {rules}} = partOf(runOf(2, 2, 2), {mutant: atFirst!, isOpen});
	t.deepEqual(rules.ruleSet.tables.flatMap(({chains}) => chains.flatMap(chain => chain.rules)).map(({text}) => text), ['-p tcp -j REDIRECT --to-ports 15001', '-p udp -j REDIRECT --to-ports 15053']);
});

test('a run that did not happen is a doubt, with its reason', t => {
	const entry = {kind: 'inconclusive', reason: 'nft is missing'} as unknown as RunEntry;
	t.deepEqual(detectionIn(entry, owners, types), {kind: 'inconclusive', reasons: ['nft is missing']});
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
