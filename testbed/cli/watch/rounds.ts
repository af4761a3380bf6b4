/**
What `--watch` remembers from round to round: the files that were read, what each piece of work was asked, and how it ended.
*/

import path from 'node:path';
import {addTallies, exitStatus, type Tally} from '../../../src/judge/exit-status.js';
import {fingerprintOf} from '../../shards/work.js';

/** A piece of work: a rule set or scenario on a back end. `question` is everything that decides its result. */
export type WatchedPiece = {readonly name: string; readonly question: unknown};

/** How a round ended. */
export type RoundCount = {readonly done: number; readonly all: number; readonly tally: Tally};

const nothing: Tally = {passed: 0, failed: 0, inconclusive: 0};

/** The memory of all rounds. */
export class Rounds {
	readonly #known = new Map<string, {readonly fingerprint: string; readonly tally: Tally}>();
	#asked = new Map<string, string>();
	#files: readonly string[] = [];
	#count: RoundCount = {done: 0, all: 0, tally: nothing};

	/** Every file that any round has read, with its full name. */
	get files(): readonly string[] {
		return this.#files;
	}

	/** What the round that is under way, or the last one, came to. */
	get count(): RoundCount {
		return this.#count;
	}

	/** The exit status of everything, each piece as it ended last. */
	get standing(): number {
		return exitStatus(addTallies([...this.#known.values()].map(({tally}) => tally)));
	}

	/** Notes that files are read. Standard input (`-`) cannot change. */
	reads(files: readonly string[]): void {
		this.#files = [...new Set([...this.#files, ...files.filter(file => file !== '-').map(file => path.resolve(file))])];
	}

	/** Of the pieces of a round, the places of those to do: what is new, what is asked something else, and what had no certain result. Pieces that are no longer there are forgotten. */
	toDo(pieces: readonly WatchedPiece[]): readonly number[] {
		this.#asked = new Map(pieces.map(({name, question}) => [name, fingerprintOf(question)]));
		for (const name of [...this.#known.keys()].filter(name => !this.#asked.has(name))) {
			this.#known.delete(name);
		}

		const places = [...pieces.entries()].filter(([, {name}]) => {
			const known = this.#known.get(name);
			return known === undefined || known.fingerprint !== this.#asked.get(name) || known.tally.inconclusive > 0;
		}).map(([place]) => place);
		this.#count = {done: places.length, all: pieces.length, tally: nothing};
		return places;
	}

	/** Notes how a piece ended. */
	note(name: string, tally: Tally): void {
		this.#known.set(name, {fingerprint: this.#asked.get(name) ?? '', tally});
		this.#count = {...this.#count, tally: addTallies([this.#count.tally, tally])};
	}
}
