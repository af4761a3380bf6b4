import test from 'ava';
import {importRules} from '../../../../src/netfilter/import/import-rules.js';
import {placeOfOutcome} from '../../../../src/report/run/source-place.js';
import type {Place} from '../../../../src/report/shared-types.js';
import {printSave} from '../../../../src/netfilter/iptables/save.js';
import type {Outcome} from '../../../../src/judge/outcome.js';
import {
	deleteRule, sketchReport, typeOf, type Mutation,
} from '../../../helpers/reports.js';

/** The place of a type that is played with a dump of the default rules, made wrong. */
function placeIn(mutate: Mutation, hasFile = true): {readonly place: Place | undefined; readonly text: string | undefined} {
	const report = sketchReport({ids: ['4'], mutate});
	const dump = printSave(report.ruleSet, 'ipv4');
	const {ruleSet, lines} = importRules(dump);
	const places = new Map([...lines].map(([rule, line]) => [rule, {file: 'mine.rules', line}]));
	const place = placeOfOutcome(typeOf(report, '4').outcome, {ruleSet, ...(hasFile ? {places} : {})});
	return {place, text: place?.line === undefined ? undefined : dump.split('\n')[place.line - 1]};
}

test('the line of the rule that decided instead', t => {
	const {place, text} = placeIn(deleteRule('ISTIO_OUTPUT', 2));
	t.is(place?.file, 'mine.rules');
	t.is(text, '-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN');
});

test('if no rule decided, the line of the one that should have', t => {
	const {ruleSet, lines} = importRules('*nat\n-A OUTPUT -j RETURN\n-A OUTPUT -p tcp -j ACCEPT\nCOMMIT\n');
	const claim = {actor: 'app', stop: 'proxy:15001'};
	const outcome: Outcome = {
		kind: 'fail',
		differences: [{
			kind: 'stop', leg: 0, expectedRole: 'outbound-jump', observedRole: null, rule: null, expected: claim, observed: claim,
			causes: [{
				kind: 'not-matched', role: 'outbound-jump', rule: {
					family: 'ip', table: 'nat', chain: 'OUTPUT', number: 2, text: '-p tcp -j ACCEPT',
				},
			}],
		}],
	};
	t.deepEqual(placeOfOutcome(outcome, {ruleSet, places: new Map([...lines].map(([rule, line]) => [rule, {file: 'a', line}]))}), {file: 'a', line: 3});
});

test('if no rule is known, the file', t => {
	t.deepEqual(placeIn(deleteRule('ISTIO_OUTPUT', 9)).place, {file: 'mine.rules'});
});

test('no place: rules without a file, cases that passed, and inconclusive ones', t => {
	t.is(placeIn(deleteRule('ISTIO_OUTPUT', 2), false).place, undefined);
	t.is(placeIn(rules => rules).place, undefined);
	t.is(placeOfOutcome({kind: 'inconclusive', reasons: []}, {ruleSet: {tables: []}, places: new Map()}), undefined);
});
