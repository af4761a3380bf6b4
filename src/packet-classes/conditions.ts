/**
What the conditions of rules ask of a set of packets on its way: which of its packets meet them.
*/

import type {Endpoint, Leg, Traversal} from '../netfilter/path.js';
import type {Match} from '../netfilter/types.js';
import {factsAt, type PacketFacts, type PacketState} from '../judge/explain/packet-facts.js';
import {askMatch} from '../judge/explain/match-rule.js';
import {
	fieldOf, isAsSent, isUnknownThere, withValue, type Progress,
} from './condition-field.js';
import type {ChainInTable} from './base-chains.js';
import type {FieldName, Fields} from './fields.js';
import type {Origin} from './packet-space.js';

/** Where a condition looks: at a field as it was sent, at something that is the same for the whole set, or at what is not known. */
export type Asked = {readonly field: FieldName; readonly set: bigint} | boolean | 'not-known';

/** As much of a set's way as its conditions can ask for. */
export type Standing = Progress & {readonly packet: PacketState; readonly outInterface: string | undefined; readonly placed: ChainInTable | undefined};

/** Answers for the packets of one family; what a condition holds for is worked out once. */
export class Conditions {
	readonly #fields: Fields;
	readonly #sets = new Map<Match, bigint>();

	constructor(fields: Fields) {
		this.#fields = fields;
	}

	/** What a condition asks of a set of packets where they are now. */
	answer(match: Match, state: Standing, origin: Origin): Asked {
		const field = fieldOf[match.kind];
		if (field !== undefined && isAsSent(field, state, origin)) {
			return {field, set: this.#setOf(match, field, state)};
		}

		if (isUnknownThere(field, state)) {
			return 'not-known';
		}

		return askMatch(match, this.#facts(state), {isNative: state.placed!.isNative});
	}

	/** The cuts of a field that a condition holds for. */
	#setOf(match: Match, field: FieldName, state: Standing): bigint {
		const known = this.#sets.get(match);
		if (known !== undefined) {
			return known;
		}

		let set = 0n;
		const facts = this.#facts(state);
		for (const [place, {first}] of this.#fields.intervals[field].entries()) {
			if (askMatch(match, withValue(facts, field, {value: first, fields: this.#fields}), {isNative: state.placed!.isNative}) === true) {
				set |= 1n << BigInt(place);
			}
		}

		this.#sets.set(match, set);
		return set;
	}

	/** A packet of the set, where it is now. Its fields as they were sent are not asked here, so any value does. */
	#facts({packet, from, to, hook, inInterface, outInterface, placed}: Standing): PacketFacts {
		const {family} = this.#fields;
		const nowhere: Endpoint = {address: family === 'ipv4' ? '0.0.0.0' : '::', port: 0};
		const [source, destination] = [from, to].map(bound => typeof bound === 'object' ? bound : nowhere) as [Endpoint, Endpoint];
		const leg: Leg = {
			actor: '', family, protocol: 'tcp', from: source, to: typeof to === 'object' ? nowhere : destination, socket: {uid: 0, gid: 0}, traversals: [], end: {kind: 'refused'},
		};
		const traversal: Traversal = {
			hook, family: placed!.table.family, table: placed!.table.name, chain: placed!.chain.name, hits: [], end: {by: 'open'}, inInterface, outInterface, source, destination,
		};
		return factsAt(leg, traversal, packet);
	}
}
