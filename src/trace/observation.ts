/** What one probe did in the kernel: its path, and what is missing to trust it. */

import type {Path} from '../netfilter/path.js';
import type {Gap} from './gap.js';

declare const fromTrace: unique symbol;

/** Created only by `Joiner`. A path that somebody wrote is an `ExpectedPath`. */
export type ObservedPath = Path & {readonly [fromTrace]: true};

/** The result of joining: plain data except for the brand. */
export type Observation = {
	readonly path: ObservedPath;
	/** The flow met more stops than allowed: it loops. */
	readonly loop: boolean;
	readonly gaps: readonly Gap[];
};
