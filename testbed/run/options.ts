/**
What a run is asked for, normalised once at the border: everything behind it has no defaults of its own.
*/

import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ActorCredentials, TypeId} from '../../src/scenario/types.js';
import type {Sysctls} from '../sandbox/sysctls.js';
import type {RuleInput, ReadyScenario} from '../inputs/types.js';

/** Everything that decides a run. */
export type RunOptions = {
	readonly rules: RuleInput;
	readonly families: readonly AddressFamily[];
	readonly types: readonly TypeId[];
	/** What is played instead of the types; `types` and `credentials` then say nothing. */
	readonly scenario?: ReadyScenario;
	readonly credentials: ActorCredentials;
	readonly timeoutMs: number;
	readonly traceBufferBytes: number;
	readonly keep: boolean;
	readonly signal: AbortSignal;
	/** Told what the run is doing; for progress. */
	readonly onProgress: (step: string) => void;
	/** What each namespace of the sandbox holds before the testbed sets its own sysctls; for tests of what the machine could hand down. */
	readonly presetSysctls?: Sysctls | undefined;
	/** Told of the actors as soon as they run; for tests that break one. */
	readonly onActors?: (actors: ReadonlyMap<string, {readonly pid: number | undefined; readonly kill: () => void}>) => void;
};
