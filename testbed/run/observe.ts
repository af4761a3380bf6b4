/**
The evidence of a play → what it shows of each probe. A run and a replay both go this way, and nothing here asks the kernel.
*/

import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {LoadedRule} from '../../src/trace/loaded-rules.js';
import type {Observation} from '../../src/trace/observation.js';
import {compareRules} from '../../src/trace/counter-check.js';
import {parseInstalled} from '../sandbox/rules-text.js';
import {
	actorGapsOf, credentialsIn, socketGapsOf, type FoundCredentials,
} from './actor-credentials.js';
import type {
	ActorEvidence, KernelEvidence, ProbeEnd, RoundEvidence,
} from './evidence.js';
import {observeRound, readRound, type Round} from './round.js';

/** What came of a play. */
export type Observations = {
	/** The rules as the kernel held them. */
	readonly ruleSet: RuleSet;
	/** The same with handles and counters, before the first probe. */
	readonly before: readonly LoadedRule[];
	/** One for each probe, in their order, with every gap: of the trace, of the actors, of the sockets' owners. */
	readonly observations: readonly Observation[];
	/** Who the actors were, by the kernel. */
	readonly found: FoundCredentials;
};

/** A round with what it shows of the probes that were sent in it. */
export type ObservedRound = {readonly round: Round; readonly ends: readonly ProbeEnd[]; readonly observations: readonly Observation[]};

/**
Reads a round and observes its probes.

@throws {TestbedError} COMMAND_FAILED when a tool printed something else than it should.
*/
export function observeEvidence(evidence: RoundEvidence, {ruleSet, backend}: {readonly ruleSet: RuleSet; readonly backend: Backend}): ObservedRound {
	const round = readRound(evidence, backend);
	return {round, ends: evidence.ends, observations: observeRound(round, ruleSet)};
}

/** The probes of a round that are in doubt, by their places among all that were to be sent. */
export function doubtfulIn({ends, observations}: ObservedRound): readonly number[] {
	return ends.flatMap(({index}, position) => observations[position]!.gaps.length > 0 ? [index] : []);
}

/** All rounds in one, with what the actors' identity adds: the last round in which a probe was sent counts for it. */
export function mergeRounds({ruleSet, rounds, actors}: {
	readonly ruleSet: RuleSet; readonly rounds: readonly [ObservedRound, ...ObservedRound[]]; readonly actors: readonly ActorEvidence[];
}): Observations {
	const [{round: {before}}] = rounds;
	const observations: Observation[] = [];
	for (const [number, {round, ends, observations: own}] of rounds.entries()) {
		// Packets can be sent again. Rules that are no longer those that were installed stay so, and no number would mean what it says.
		const changed = number === 0 ? [] : compareRules({before, after: round.before});
		for (const [position, {index}] of ends.entries()) {
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
		found: credentialsIn(actors),
	};
}

/**
The same from evidence alone, as a recording holds it: everything is read and decoded anew.

@throws {RangeError} when no round was played, one of the probes is in none, or an actor is not known.
@throws {ParseError | TestbedError} when a tool printed something else than it should.
*/
export function mergeEvidence({held: installed, rounds, actors}: KernelEvidence, {backend, probes}: {readonly backend: Backend; readonly probes: number}): Observations {
	const ruleSet = parseInstalled(installed);
	const [first, ...later] = rounds.map(round => observeEvidence(round, {ruleSet, backend}));
	if (first === undefined) {
		throw new RangeError('no round was played');
	}

	const sent = new Set(rounds.flatMap(({ends}) => ends.map(({index}) => index)));
	if (sent.size !== probes || [...sent].some(index => !Number.isInteger(index) || index < 0 || index >= probes)) {
		throw new RangeError(`the rounds tell of ${sent.size} probes, and ${probes} were to be sent`);
	}

	const known = new Set(actors.map(({name}) => name));
	const stranger = rounds.flatMap(({sockets}) => sockets).find(socket => 'actor' in socket && !known.has(socket.actor));
	if (stranger !== undefined) {
		throw new RangeError(`nothing is said of the actor of the socket ${stranger.id}`);
	}

	return mergeRounds({ruleSet, rounds: [first, ...later], actors});
}

function withGaps(observation: Observation, gaps: readonly Gap[]): Observation {
	return gaps.length === 0 ? observation : {...observation, gaps: [...gaps, ...observation.gaps]};
}
