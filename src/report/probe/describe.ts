/**
Findings of a probe as sentences.
*/

import type {Contradiction, AskedRule} from '../../judge/explain/explain-leg.js';
import {nameOfHit, nameOfRule} from '../run/describe-differences.js';
import {describeAnswer, describeTarget} from '../rules/describe-rule.js';

/** Where our reading and the kernel differ, as one sentence. */
export function describeContradiction(contradiction: Contradiction): string {
	switch (contradiction.kind) {
		case 'hit-fails': {
			const {rule} = contradiction;
			return `Our reading of ${nameOfRule(rule.rule)} and the kernel differ: the trace shows that it matched, and by our reading it does not (${describeAnswer(rule, contradiction)}).`;
		}

		case 'match-without-hit': {
			return `Our reading of ${nameOfRule(contradiction.rule.rule)} and the kernel differ: by our reading it matches, and the trace does not show it: ${contradiction.rule.rule.text}`;
		}

		case 'out-of-way': {
			return `Our reading of the chains and the kernel differ: the trace shows ${nameOfHit(contradiction.hit)} where by our reading the packet does not come by.`;
		}
	}
}

/** What a rule that matched is for and what it did, in sentences. */
export function describeHit(explained: AskedRule): string {
	const {role, purpose, target} = explained;
	const does = `It ${describeTarget(target, explained)}.`;
	return role === null ? does : `${role}: ${purpose ?? ''} ${does}`;
}
