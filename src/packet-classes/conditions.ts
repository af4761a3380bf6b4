/**
Conditions on a set of packets that test something other than a field as it was sent: a field that a rule changed, an interface, conntrack. The answer is the same for the whole set.
*/

import {unspecified} from '../netfilter/address.js';
import type {Endpoint, Leg, Traversal} from '../netfilter/path.js';
import type {AddressFamily, Match} from '../netfilter/types.js';
import {factsAt, type PacketFacts, type PacketState} from '../judge/explain/packet-facts.js';
import {askMatch, type MatchAnswer} from '../judge/explain/match-rule.js';
import {fieldOf, isUnknownThere, type Progress} from './condition-field.js';
import type {ChainInTable} from './base-chains.js';

/** The part of a set's path that its conditions can test. */
export type Standing = Progress & {readonly packet: PacketState; readonly outInterface: string | undefined; readonly placed: ChainInTable | undefined};

/** Answers conditions for the packets of one family. Keeps what is known about the last set, because a set is tested by one rule after another. */
export class Conditions {
	readonly #family: AddressFamily;
	#asked: Standing | undefined;
	#facts: PacketFacts | undefined;

	constructor(family: AddressFamily) {
		this.#family = family;
	}

	/** Whether a condition that tests no field as it was sent holds for a set. */
	answer(match: Match, standing: Standing): MatchAnswer {
		return isUnknownThere(fieldOf[match.kind], standing) ? 'not-known' : askMatch(match, this.#factsOf(standing), {language: standing.placed!.language});
	}

	/** A packet of the set, where it is now. Its sent fields are not tested here, so any values do. */
	#factsOf(standing: Standing): PacketFacts {
		if (this.#facts === undefined || this.#asked !== standing) {
			this.#asked = standing;
			this.#facts = this.#read(standing);
		}

		return this.#facts;
	}

	#read({packet, from, to, hook, inInterface, outInterface, placed}: Standing): PacketFacts {
		const family = this.#family;
		const nowhere: Endpoint = {address: unspecified[family], port: 0};
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
