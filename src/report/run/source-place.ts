/**
Where in the user's rules an outcome comes from: the line of the rule that decided differently, or of the one that should have decided.
*/

import {findRule, type RulePlace} from '../../netfilter/lookup.js';
import type {Rule, RuleSet} from '../../netfilter/types.js';
import type {Difference, Outcome} from '../../judge/outcome.js';
import type {Place} from '../shared-types.js';
import {causesOf} from './describe-differences.js';

/** For a failure, the line of the first rule that a difference names, or else the file. Undefined if nothing failed or the rules are not from a file. */
export function placeOfOutcome(outcome: Outcome, {ruleSet, places = new Map()}: {readonly ruleSet: RuleSet; readonly places?: ReadonlyMap<Rule, Place>}): Place | undefined {
	if (outcome.kind !== 'fail') {
		return undefined;
	}

	for (const rulePlace of outcome.differences.flatMap(difference => rulesOf(difference))) {
		const rule = findRule(ruleSet, rulePlace);
		const place = rule === undefined ? undefined : places.get(rule);
		if (place !== undefined) {
			return place;
		}
	}

	const [first] = places.values();
	return first === undefined ? undefined : {file: first.file};
}

function rulesOf(difference: Difference): readonly RulePlace[] {
	const hit = 'rule' in difference ? difference.rule : null;
	return [
		...(hit?.number === undefined ? [] : [{...hit, number: hit.number}]),
		...causesOf(difference).flatMap(cause => 'rule' in cause ? [cause.rule] : []),
	];
}
