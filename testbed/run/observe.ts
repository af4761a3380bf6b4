/**
Turns the evidence of a run into an observation for each probe, in runs and replays alike. Nothing here uses the kernel.
*/

import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {LoadedRule} from '../../src/trace/loaded-rules.js';
import type {Observation} from '../../src/trace/observation.js';
import {somewhereIn} from '../../src/trace/lost-end.js';
import {compareRules} from '../../src/trace/counter-check.js';
import {parseInstalled} from '../sandbox/rules-text.js';
import {
	actorGapsOf, credentialsIn, socketGapsOf, type FoundCredentials,
} from './actor-credentials.js';
import type {
	ActorEvidence, KernelEvidence, ProbeEnd, RoundEvidence,
} from './evidence.js';
import {observeRound, readRound, type Round} from './round.js';

/** What a run observed. */
export type Observations = {
	/** The rules in the kernel. */
	readonly ruleSet: RuleSet;
	/** The same with handles and counters, before the first probe. */
	readonly before: readonly LoadedRule[];
	/** One for each probe, in order, with all gaps: of the trace, the actors, and the sockets' owners. */
	readonly observations: readonly Observation[];
	/** How long the connection of each probe took. Missing in older recordings. */
	readonly durationsMs: ReadonlyArray<number | undefined>;
	/** The actors' credentials according to the kernel. */
	readonly found: FoundCredentials;
};

/** A round, with an observation for each of its probes. */
export type ObservedRound = {readonly round: Round; readonly ends: readonly ProbeEnd[]; readonly observations: readonly Observation[]};

/**
Parses a round and observes its probes.

@throws {TestbedError} COMMAND_FAILED if a tool's output cannot be parsed.
*/
export function observeEvidence(evidence: RoundEvidence, {ruleSet, backend, answered}: {
	readonly ruleSet: RuleSet; readonly backend: Backend; readonly answered: readonly string[] | undefined;
}): ObservedRound {
	const round = readRound(evidence, backend);
	return {round, ends: evidence.ends, observations: observeRound(round, ruleSet, answered === undefined ? undefined : somewhereIn(answered))};
}

/** The indices of a round's probes that have gaps, among all probes of the run. */
export function doubtfulIn({ends, observations}: ObservedRound): readonly number[] {
	return ends.flatMap(({index}, position) => observations[position]!.gaps.length > 0 ? [index] : []);
}

/** Merges all rounds and adds the gaps of the actors. For each probe, the last round that sent it counts. */
export function mergeRounds({ruleSet, rounds, actors}: {
	readonly ruleSet: RuleSet; readonly rounds: readonly [ObservedRound, ...ObservedRound[]]; readonly actors: readonly ActorEvidence[];
}): Observations {
	const [{round: {before}}] = rounds;
	const observations: Observation[] = [];
	const durationsMs: Array<number | undefined> = [];
	for (const [number, {round, ends, observations: own}] of rounds.entries()) {
		// Packets can be sent again, but if the rules have changed since they were installed, rule numbers are meaningless in all later rounds.
		const changed = number === 0 ? [] : compareRules({before, after: round.before});
		for (const [position, {index, durationMs}] of ends.entries()) {
			durationsMs[index] = durationMs;
			observations[index] = withGaps(own[position]!, changed);
		}
	}

	const actorGaps = actorGapsOf(actors);
	return {
		ruleSet,
		before,
		observations: observations.map(observation => {
			const {gaps} = withGaps(observation, actorGaps);
			return {...observation, gaps: [...gaps, ...socketGapsOf(observation, actors)]};
		}),
		durationsMs,
		found: credentialsIn(actors),
	};
}

/**
The same from recorded evidence alone: everything is parsed and decoded again.

@throws {RangeError} if there is no round, a probe is in none of them, or an actor is unknown.
@throws {ParseError | TestbedError} if a tool's output cannot be parsed.
*/
export function mergeEvidence({held: installed, rounds, actors, answered}: KernelEvidence, {backend, probes}: {readonly backend: Backend; readonly probes: number}): Observations {
	const ruleSet = parseInstalled(installed);
	const [first, ...later] = rounds.map(round => observeEvidence(round, {ruleSet, backend, answered}));
	if (first === undefined) {
		throw new RangeError('there is no round');
	}

	const sent = new Set(rounds.flatMap(({ends}) => ends.map(({index}) => index)));
	if (sent.size !== probes || [...sent].some(index => !Number.isInteger(index) || index < 0 || index >= probes)) {
		throw new RangeError(`the ${sent.size} probes in the rounds are not the ${probes} that were to be sent`);
	}

	const known = new Set(actors.map(({name}) => name));
	const stranger = rounds.flatMap(({sockets}) => sockets).find(socket => 'actor' in socket && !known.has(socket.actor));
	if (stranger !== undefined) {
		throw new RangeError(`the actor of the socket ${stranger.id} is unknown`);
	}

	return mergeRounds({ruleSet, rounds: [first, ...later], actors});
}

function withGaps(observation: Observation, gaps: readonly Gap[]): Observation {
	return gaps.length === 0 ? observation : {...observation, gaps: [...gaps, ...observation.gaps]};
}
