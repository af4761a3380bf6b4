/**
One rule set and everything that was asked of it: what the page compares before and after a change.
*/

import {rulesOf} from '../../src/netfilter/lookup.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {defaultTypesOf, typeIdsOf, typeOf} from '../../src/mesh/traffic-types.js';
import type {ActorCredentials, TypeId} from '../../src/mesh/traffic.js';
import type {TypeResult} from '../../src/report/run/types.js';
import {ProbeFault} from '../../src/scenario/read-probe.js';
import {answerOf, outcomeOf, reasonsOf} from '../../src/workshop/answers.js';
import {planConnection, type PlannedConnection} from '../../src/workshop/connections.js';
import type {Answer, Question, ShownRules, TypeRow} from '../../src/workshop/protocol.js';
import {shownChains} from '../../src/workshop/shown-rules.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {TestbedError} from '../errors.js';
import {summaryOfRules} from '../inputs/summary.js';
import type {RuleInput} from '../inputs/types.js';
import {refuseOutside} from '../probe/participants.js';
import type {Answered, AnsweringSandbox} from './answering-sandbox.js';
import type {ChosenRules} from './chosen-rules.js';

/** What is asked under which rules. */
export type RoundRequest = {
	readonly chosen: ChosenRules;
	readonly family: AddressFamily;
	readonly credentials: ActorCredentials;
	readonly question: Question | undefined;
	/** Whether the types are sent as well, and not only the question. */
	readonly withTypes: boolean;
};

/** The result. */
export type Round = {
	readonly chosen: ChosenRules;
	readonly family: AddressFamily;
	readonly loaded: Answered['loaded'];
	readonly types: readonly TypeResult[];
	readonly answer: Answer | undefined;
	/** What the answer was made of. */
	readonly result: TypeResult | undefined;
	readonly hints: readonly string[];
};

/**
Asks the kernel.

@throws {TestbedError} INPUT or USAGE for a question that makes no sense, and all that {@link AnsweringSandbox.ask} throws.
*/
export async function askRound(sandbox: AnsweringSandbox, {chosen, family, credentials, question, withTypes}: RoundRequest): Promise<Round> {
	const {rules} = chosen;
	const connection = question?.kind === 'connection' ? plannedOf(question, family, {rules, credentials}) : undefined;
	const asked = question?.kind === 'type' ? knownType(question.type, rules) : undefined;
	const types = [...new Set([...(withTypes ? defaultTypesOf(rules.mesh.traffic) : []), ...(asked === undefined ? [] : [asked])])];
	const {types: results, connection: seen, loaded, hints, durationMs} = await sandbox.ask({
		rules, family, types, credentials, connection,
	});
	const result = connection === undefined ? results.find(({id}) => id === asked) : seen;
	return {
		chosen,
		family,
		loaded,
		types: results,
		answer: question === undefined || result === undefined ? undefined : answerOf(question, result, {loaded, durationMs, hasExpectation: connection?.hasExpectation ?? true}),
		result,
		hints,
	};
}

/** What an earlier round says of a question that was sent in it, if it was. */
export function answerIn(round: Round, question: Question): Answer | undefined {
	if (question.kind === 'type') {
		const result = round.types.find(({id}) => id === question.type);
		return result === undefined ? undefined : answerOf(question, result, {loaded: round.loaded, durationMs: 0});
	}

	return round.answer !== undefined && JSON.stringify(round.answer.question) === JSON.stringify(question) ? round.answer : undefined;
}

/** The table of the types, before and now. */
export function typeRows({chosen: {rules: {mesh: {traffic}}}, types}: Round, before: Round | undefined): readonly TypeRow[] {
	return defaultTypesOf(traffic).map(id => {
		const {name, legend} = typeOf(traffic, id);
		const [now, earlier] = [types, before?.types ?? []].map(results => results.find(result => result.id === id));
		return {
			id, name, legend: legend ?? name.replaceAll('-', ' '), before: earlier === undefined ? null : outcomeOf(earlier), now: now === undefined ? null : outcomeOf(now), reason: now === undefined ? '' : reasonsOf(now)[0] ?? '',
		};
	});
}

/** The rules of a round for the page. `edits` are the changes in words. */
export function rulesShown({chosen: {rules, families}, loaded, family, hints}: Round, before: Round | undefined, edits: readonly string[]): ShownRules {
	const {identity} = summaryOfRules(rules, {families, ruleSet: loaded.rules});
	return {
		source: rules.source,
		backend: rules.backend,
		identity: identity.text,
		families,
		family,
		chains: shownChains(loaded.rules, family, {asked: rules.ruleSet, before: before?.family === family && before.loaded.rules.mesh === loaded.rules.mesh ? before.loaded.rules : undefined}),
		edits,
		hints: [...rules.notes, ...hints],
		count: [...rulesOf(loaded.rules)].length,
	};
}

/**
A connection that somebody put together.

@throws {TestbedError} INPUT for what is no destination, USAGE for one that does not come into the pod.
*/
export function plannedOf(question: Extract<Question, {kind: 'connection'}>, family: AddressFamily, {rules: {mesh, intent}, credentials}: {readonly rules: Pick<RuleInput, 'mesh' | 'intent'>; readonly credentials: ActorCredentials}): PlannedConnection {
	try {
		const planned = planConnection(question, family, {mesh, intent, credentials});
		refuseOutside(planned.spec, defaultTopology);
		return planned;
	} catch (error) {
		throw error instanceof ProbeFault ? new TestbedError('INPUT', {message: error.message, ...(error.hint === undefined ? {} : {hint: error.hint}), cause: error}) : error;
	}
}

function knownType(id: TypeId, {mesh: {name, traffic}}: ChosenRules['rules']): TypeId {
	const known = typeIdsOf(traffic);
	if (!known.includes(id)) {
		throw new TestbedError('INPUT', {message: `${name} has no type ${id}.`, hint: `Its types are ${known.join(', ')}.`});
	}

	return id;
}
