/**
The kinds of questions. For each, this file computes the choices and the correct answer from the evidence; no result comes from the lesson's file.
*/

import {gapsIn} from '../judge/judge.js';
import {chainsVisited, decidingHitsOf} from '../judge/observed-roles.js';
import {tablesOf} from '../netfilter/lookup.js';
import {actorOfStop, stopsOfPath, type Leg} from '../netfilter/path.js';
import type {Chain} from '../netfilter/types.js';
import type {flowEnds, Asked} from './schema.js';
import type {Choice, SeenConnection, StepEvidence} from './types.js';

/** A question that is ready to be answered, with its choices and the kernel's answer; or the evidence that is missing. */
export type Question =
	| {readonly kind: 'ready'; readonly choices: readonly Choice[]; readonly isList: boolean; readonly right: readonly string[]}
	| {readonly kind: 'inconclusive'; readonly reasons: readonly string[]};

/** Values of a question about a rule that are no number. */
const noMatch = 'no-match';
const notEntered = 'not-entered';
/** The value of a question about listeners where there is none. */
const nobody = 'nobody';

type AskedOf<What extends Asked['what']> = Extract<Asked, {what: What}>;
type Answer = {readonly choices: readonly Choice[]; readonly right: readonly string[]};

/** The evidence is not enough for an answer. */
class TooLittle extends Error {
	override readonly name = 'TooLittle';
	readonly reasons: readonly string[];

	constructor(reasons: readonly string[]) {
		super(reasons.join(' '));
		this.reasons = reasons;
	}
}

/** Whether the answer is a list, all of which must be correct. */
export function isList({what}: Asked): boolean {
	return what === 'failing' || what === 'bypassing' || what === 'unmatched' || what === 'fix';
}

/** Whether the question works only with types, which have an expected path. */
export function takesTypes({what}: Asked): boolean {
	return what === 'failing' || what === 'fix';
}

/** The values of the choices in a lesson's file. */
export function choicesInFile(asks: Extract<Asked, {choices: unknown}>): readonly string[] {
	return asks.what === 'fix' ? asks.choices.map(({text}) => text) : asks.choices;
}

/** The question of a step, from the evidence. It is inconclusive if evidence is missing, or if the kernel's answer is not among the choices. */
export function questionOf(asks: Asked, evidence: StepEvidence): Question {
	try {
		const {choices, right} = answerOf(asks, evidence);
		const foreign = right.filter(value => choices.every(choice => choice.value !== value));
		if (foreign.length > 0) {
			throw new TooLittle([`The kernel's answer, "${foreign.join(', ')}", is not among the choices.`]);
		}

		return {
			kind: 'ready', choices, isList: isList(asks), right,
		};
	} catch (error) {
		if (error instanceof TooLittle) {
			return {kind: 'inconclusive', reasons: error.reasons};
		}

		throw error;
	}
}

function answerOf(asks: Asked, evidence: StepEvidence): Answer {
	switch (asks.what) {
		case 'rule': {
			return ofRule(asks, evidence);
		}

		case 'listener': {
			const {end} = legOf(asks, evidence);
			return {choices: plainChoices(asks.choices), right: [end.kind === 'accepted' ? end.stop : nobody]};
		}

		case 'stops': {
			const stops = stopsOfPath(whole(connectionOf(asks, evidence)));
			return {choices: plainChoices(asks.choices), right: [stops.length === 0 ? nobody : stops.join(' → ')]};
		}

		case 'end': {
			return {choices: asks.choices.map((value, index) => choiceOf(index, value, describeEnd[value])), right: [endOf(connectionOf(asks, evidence))]};
		}

		case 'source': {
			return {choices: plainChoices(asks.choices), right: [legOf(asks, evidence).from.address]};
		}

		case 'failing': {
			return {
				choices: evidence.connections.map(connection => choiceOfType(connection)),
				right: evidence.connections.filter(connection => !hasPassed(connection)).map(({id}) => id),
			};
		}

		case 'bypassing': {
			return {
				choices: evidence.connections.map((connection, index) => connection.outcome === undefined ? choiceOf(index, connection.id, connection.name) : choiceOfType(connection)),
				right: evidence.connections.filter(connection => !stopsOfPath(whole(connection)).some(stop => actorOfStop(stop) === 'proxy')).map(({id}) => id),
			};
		}

		case 'unmatched': {
			return ofUnmatched(asks, evidence);
		}

		case 'fix': {
			return ofFix(asks, evidence);
		}
	}
}

function choiceOf(index: number, value: string, text = value, isRule = false): Choice {
	return {
		key: String(index + 1), value, text, isRule,
	};
}

/** The key of a type is its id, not its position. */
function choiceOfType({id, name}: SeenConnection): Choice {
	return {
		key: id, value: id, text: `type ${id}, ${name}`, isRule: false,
	};
}

function plainChoices(values: readonly string[]): readonly Choice[] {
	return values.map((value, index) => choiceOf(index, value));
}

const describeEnd = {
	accepted: 'accepted by a listener',
	closed: 'closed by the proxy',
	refused: 'refused: nothing listens there',
	dropped: 'dropped by a rule',
	unreachable: 'unreachable: there is no route',
	nowhere: 'it gets a new destination that does not exist here',
	lost: 'it leaves the pod with a loopback address as its destination and is lost',
	'answer-dropped': 'it arrives, and a rule drops the reply',
	loop: 'it never ends: the flow is a loop',
} as const satisfies Record<typeof flowEnds[number], string>;

/** Whether a type took the expected path. */
function hasPassed(connection: SeenConnection): boolean {
	const {outcome, id} = whole(connection);
	if (outcome === undefined || outcome.kind === 'inconclusive') {
		throw new TooLittle([`The result of type ${id} is not known.`]);
	}

	return outcome.kind === 'pass';
}

/** A connection with complete evidence. */
function whole(connection: SeenConnection): SeenConnection {
	const {outcome, legs, gaps} = connection;
	const reasons = [...new Set([...gapsIn({path: {legs}, gaps}), ...(outcome?.kind === 'inconclusive' ? outcome.reasons : [])].map(({message}) => message))];
	if (reasons.length > 0) {
		throw new TooLittle(reasons);
	}

	return connection;
}

function connectionOf({of}: {readonly of?: string}, {connections}: StepEvidence): SeenConnection {
	const found = of === undefined ? connections[0] : connections.find(({id}) => id === of);
	if (found === undefined) {
		throw new TooLittle([of === undefined ? 'Nothing was sent.' : `${of} was not sent.`]);
	}

	return whole(found);
}

function legOf({of, leg = 1}: {readonly of?: string; readonly leg?: number}, evidence: StepEvidence): Leg {
	const {legs, name} = connectionOf(of === undefined ? {} : {of}, evidence);
	const found = legs[leg - 1];
	if (found === undefined) {
		throw new TooLittle([`The flow of ${name} has ${legs.length} ${legs.length === 1 ? 'connection' : 'connections'}, and the question is about number ${leg}.`]);
	}

	return found;
}

function endOf({legs, loop}: SeenConnection): string {
	const {end} = legs.at(-1)!;
	return loop ? 'loop' : (end.kind === 'accepted' && end.closed !== undefined ? 'closed' : end.kind);
}

/** The chain of that name for packets of the family, with its table. */
function chainOf({chain: name, table: wanted}: {readonly chain: string; readonly table?: string}, {rules, family}: StepEvidence): {readonly table: string; readonly chain: Chain} {
	const found = tablesOf(rules, family)
		.filter(table => wanted === undefined || table.name === wanted)
		.flatMap(table => table.chains.filter(chain => chain.name === name).map(chain => ({table: table.name, chain})));
	const [first] = found;
	if (first === undefined || found.length > 1) {
		const what = wanted === undefined ? name : `${name} in table ${wanted}`;
		throw new TooLittle([first === undefined ? `The rules have no chain ${what}.` : `The rules have ${found.length} chains ${what}, in the tables ${found.map(({table}) => table).join(', ')}.`]);
	}

	return first;
}

function rulesAsChoices({rules}: Chain): readonly Choice[] {
	return rules.map(({number, text}, index) => choiceOf(index, String(number), text, true));
}

function ofRule(asks: AskedOf<'rule'>, evidence: StepEvidence): Answer {
	const {table, chain} = chainOf(asks, evidence);
	const leg = legOf(asks, evidence);
	const rules = rulesAsChoices(chain);
	const last = decidingHitsOf(leg, evidence.rules).map(({hit}) => hit).findLast(hit => hit.table === table && hit.chain === chain.name);
	const isAsked = chainsVisited(leg, evidence.rules).has(`${table} ${chain.name}`);
	return {
		choices: [
			...rules,
			choiceOf(rules.length, noMatch, 'none: the packet passes through this chain, and no rule in it decides'),
			choiceOf(rules.length + 1, notEntered, 'none: the packet never enters this chain'),
		],
		right: [last === undefined ? (isAsked ? noMatch : notEntered) : String(last.number)],
	};
}

function ofUnmatched(asks: AskedOf<'unmatched'>, evidence: StepEvidence): Answer {
	const {table, chain} = chainOf(asks, evidence);
	const hits = evidence.connections.flatMap(connection => whole(connection).legs).flatMap(({traversals}) => traversals.flatMap(({hits: own}) => own));
	const met = new Set(hits.filter(hit => hit.table === table && hit.chain === chain.name).map(({number}) => number));
	return {choices: rulesAsChoices(chain), right: chain.rules.filter(({number}) => !met.has(number)).map(({number}) => String(number))};
}

function ofFix({choices}: AskedOf<'fix'>, {fixes = []}: StepEvidence): Answer {
	if (fixes.length !== choices.length) {
		throw new TooLittle([`The question offers ${choices.length} changes, but ${fixes.length} were tried.`]);
	}

	return {
		choices: choices.map(({text}, index) => choiceOf(index, text)),
		right: choices.filter((_, index) => {
			const tried = fixes[index]!;
			// Rules that the kernel rejects fix nothing.
			return tried.kind === 'ran' && tried.connections.map(connection => hasPassed(connection)).every(Boolean);
		}).map(({text}) => text),
	};
}
