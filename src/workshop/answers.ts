/**
The answer to a question, in the words of the page.
*/

import {decidingHitsOf} from '../judge/observed-roles.js';
import type {MeshRules} from '../mesh/mesh.js';
import {printLegEnd} from '../netfilter/path.js';
import {pictureOfResult} from '../report/pictures/pictures.js';
import {causesOf, describeCause, describeDifference, nameOfHit} from '../report/run/describe-differences.js';
import type {LoadedRules, TypeResult} from '../report/run/types.js';
import type {Answer, Outcome, Question} from './protocol.js';

/** The outcome of a result. Without an expectation it is only `seen`; with missing evidence it is always inconclusive. */
export function outcomeOf({outcome}: Pick<TypeResult, 'outcome'>, hasExpectation = true): Outcome {
	return outcome.kind === 'inconclusive' || hasExpectation ? outcome.kind : 'seen';
}

/** Why a result is not as intended, or which evidence is missing. */
export function reasonsOf({outcome}: Pick<TypeResult, 'outcome'>, hasExpectation = true): readonly string[] {
	switch (outcome.kind) {
		case 'pass': {
			return [];
		}

		case 'inconclusive': {
			return outcome.reasons.map(({message}) => message);
		}

		case 'fail': {
			return hasExpectation ? outcome.differences.flatMap(difference => [describeDifference(difference), ...causesOf(difference).map(cause => describeCause(cause))]) : [];
		}
	}
}

/** The listeners that a flow met, and how it ended: `app → proxy:15001 → remote:8080`. */
export function stopsOfResult({legs, loop}: Pick<TypeResult, 'legs' | 'loop'>): string {
	const [first] = legs;
	// A loop is abbreviated, because nobody reads twenty rounds.
	const ends = legs.map(({end}) => printLegEnd(end));
	const shown = loop ? ends.slice(0, 4) : ends;
	return first === undefined ? 'no packet was seen' : [first.actor, ...shown, ...(loop ? ['… (a loop)'] : [])].join(' → ');
}

/** The rules that decided, leg by leg; for a loop, those of its first legs. */
export function decidingOf({legs}: Pick<TypeResult, 'legs'>, rules: MeshRules): readonly string[] {
	return legs.slice(0, 6).map(leg => decidingHitsOf(leg, rules).map(({hit}) => nameOfHit(hit)).join(' ')).map(names => names === '' ? 'no rule' : names);
}

/** The answer to a question. */
export function answerOf(question: Question, result: TypeResult, {loaded, durationMs, hasExpectation = true}: {
	readonly loaded: LoadedRules; readonly durationMs: number; readonly hasExpectation?: boolean;
}): Answer {
	const [picture] = pictureOfResult(result, loaded);
	const {id, name} = result;
	return {
		question,
		name: question.kind === 'type' ? `${id} ${name}` : name,
		outcome: outcomeOf(result, hasExpectation),
		reasons: reasonsOf(result, hasExpectation),
		stops: stopsOfResult(result),
		deciding: decidingOf(result, loaded.rules),
		connection: picture === undefined ? null : (question.kind === 'type' ? picture.connection : {...picture.connection, title: name}),
		durationMs,
	};
}
