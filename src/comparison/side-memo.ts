/**
What is known about the sides of a series of comparisons. Every side but the first and the last is in two pairs, and what it shows does not depend on the other side.
*/

import type {Gap} from '../trace/gap.js';
import {summarizePath, type PathSummary, type Side} from './moves.js';

/** Remembers while its sides exist. */
export class SideMemo {
	readonly #paths = new WeakMap<Side, PathSummary[]>();
	readonly #gaps = new WeakMap<Side, readonly Gap[]>();

	/** The path of a side's probe, by its place; see {@link summarizePath}. */
	pathOf(side: Side, place: number): PathSummary {
		const paths = this.#paths.get(side) ?? [];
		this.#paths.set(side, paths);
		paths[place] ??= summarizePath(side.probeResults[place]!, side.ruleSet);
		return paths[place];
	}

	/** The gaps of a side that {@link noteGaps} was told; undefined if there was no call. */
	gapsOf(side: Side): readonly Gap[] | undefined {
		return this.#gaps.get(side);
	}

	/** Remembers where a side's paths are not the predicted ones. */
	noteGaps(side: Side, gaps: readonly Gap[]): void {
		this.#gaps.set(side, gaps);
	}
}
