/**
Guesses of a room, and how they came out.
*/

import {familyNames} from '../../src/netfilter/address.js';
import {printEndpoint} from '../../src/netfilter/path.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {MeshRules} from '../../src/mesh/mesh.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {destinationOf, typeOf, type MeshTraffic} from '../../src/mesh/traffic-types.js';
import type {ActorCredentials, ActorName} from '../../src/mesh/traffic.js';
import type {TypeResult} from '../../src/report/run/types.js';
import type {PlannedConnection} from '../../src/workshop/connections.js';
import {candidatesOf, rightCandidates, scored} from '../../src/workshop/predictions.js';
import type {Prediction, Question, Score} from '../../src/workshop/protocol.js';
import {TestbedError} from '../errors.js';

/** What is to be guessed, and under which rules. */
export type PredictionRequest = {
	readonly question: Question;
	readonly from: ActorName;
	readonly family: AddressFamily;
	readonly rules: MeshRules;
	readonly credentials: ActorCredentials;
	readonly planned: PlannedConnection | undefined;
	readonly traffic: MeshTraffic;
};

/** The guess that is open, if one is, and the score so far. */
export class Predictions {
	#prediction: Prediction | null = null;
	#score: Score = {asked: 0, right: 0};

	/** The last guess; null where nothing is to be guessed. */
	get prediction(): Prediction | null {
		return this.#prediction;
	}

	/** How the guesses came out. */
	get score(): Score {
		return this.#score;
	}

	/** Whether a packet waits for a guess. */
	get isOpen(): boolean {
		return this.#prediction !== null && this.#prediction.guess === undefined;
	}

	/** Asks for a guess. Nothing is sent yet, so nobody knows. */
	open(request: PredictionRequest): void {
		const {question, from, family, rules} = request;
		this.#prediction = {
			question, ...wordsOf(request), candidates: candidatesOf(rules, {from, family}),
		};
	}

	/**
	The question that a guess answers.

	@throws {TestbedError} USAGE where nothing is to be guessed, or there is no such candidate.
	*/
	questionFor(candidate: number | null): Question {
		const open = this.isOpen ? this.#prediction : null;
		if (open === null || (candidate !== null && open.candidates[candidate] === undefined)) {
			throw new TestbedError('USAGE', {message: open === null ? 'Nothing is to be guessed now.' : 'There is no such rule to choose.'});
		}

		return open.question;
	}

	/** What the kernel did. Where evidence is missing, nobody was right or wrong. */
	reveal(guess: number | null, result: TypeResult | undefined, rules: MeshRules): void {
		const open = this.#prediction;
		if (open === null) {
			return;
		}

		const [leg] = result === undefined || result.gaps.length > 0 ? [] : result.legs;
		const right = leg === undefined ? null : rightCandidates(open.candidates, leg, rules);
		this.#score = scored(this.#score, guess, right);
		this.#prediction = {...open, guess, right};
	}

	/** Ends guessing; the score stays. */
	close(): void {
		this.#prediction = null;
	}

	/** Starts over. */
	clear(): void {
		this.#score = {asked: 0, right: 0};
		this.#prediction = null;
	}
}

function wordsOf({question, from, family, credentials, planned, traffic}: PredictionRequest): Pick<Prediction, 'name' | 'about'> {
	const say = (sender: string, {uid, gid}: {readonly uid: number; readonly gid: number}, to: string, protocol: string): string => `${sender} (uid ${uid}, gid ${gid}) sends ${protocol.toUpperCase()} to ${to}, ${familyNames[family]}.`;
	if (planned !== undefined) {
		const {traffic: {name, probe: {actor, destination, protocol}}, sender} = planned;
		return {name, about: say(actor, sender ?? credentials[from], printEndpoint(destination), protocol)};
	}

	const type = typeOf(traffic, question.kind === 'type' ? question.type : '');
	return {name: `${type.id} ${type.name}`, about: say(from, credentials[from], printEndpoint(destinationOf(type, defaultTopology, family)), type.protocol ?? 'tcp')};
}
