/**
Findings of a probe as sentences.
*/

import type {Contradiction, AskedRule} from '../../judge/explain/explain-leg.js';
import {nameOfHit, nameOfRule} from '../run/describe-differences.js';
import {describeAnswer, describeTarget} from '../rules/describe-rule.js';

/** A disagreement between the model and the kernel, as one sentence. */
export function describeContradiction(contradiction: Contradiction): string {
	switch (contradiction.kind) {
		case 'hit-fails': {
			const {rule} = contradiction;
			return `The model and the kernel disagree about ${nameOfRule(rule.rule)}: the trace shows a match, and the model says that it does not match (${describeAnswer(rule, contradiction)}).`;
		}

		case 'match-without-hit': {
			return `The model and the kernel disagree about ${nameOfRule(contradiction.rule.rule)}: the model says that it matches, and the trace does not show it: ${contradiction.rule.rule.text}`;
		}

		case 'out-of-way': {
			return `The model and the kernel disagree about the path: the trace shows ${nameOfHit(contradiction.hit)}, which the packet does not reach according to the model.`;
		}
	}
}

/** The purpose of a rule that matched and what it did, in sentences. */
export function describeHit(explained: AskedRule): string {
	const {role, purpose, target} = explained;
	const does = `It ${describeTarget(target, explained)}.`;
	return role === null ? does : `${role}: ${purpose ?? ''} ${does}`;
}
