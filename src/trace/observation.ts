/** What one probe did on the kernel: its path, and what is missing to trust it. */

import type {Path} from '../netfilter/path.js';
import type {Gap} from './gap.js';

declare const fromTrace: unique symbol;

/** Made by `joinLegs` only. A path that somebody typed is an `ExpectedPath`. */
export type ObservedPath = Path & {readonly [fromTrace]: true};

/** The outcome of joining: plain data but for the brand. */
export type Observation = {
	readonly path: ObservedPath;
	/** The flow met more stops than a flow may: it goes round. */
	readonly loop: boolean;
	readonly gaps: readonly Gap[];
};
