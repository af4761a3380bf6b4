/**
The options of a run, normalized by the callers: the code that uses them has no defaults of its own.
*/

import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ActorCredentials, TypeId} from '../../src/mesh/traffic.js';
import type {OtherSender} from '../../src/mesh/other-senders.js';
import type {Proxy} from '../actors/proxy.js';
import type {Sysctls} from '../sandbox/sysctls.js';
import type {CapturedPackets} from '../tracer/packet-capture.js';
import type {RuleInput, ReadyScenario} from '../inputs/types.js';

/** The options of a run. */
export type RunOptions = {
	readonly rules: RuleInput;
	readonly families: readonly AddressFamily[];
	readonly types: readonly TypeId[];
	/** The only cases to run, by {@link keyOfCase}; all of them without it. A scenario holds its own cases instead. */
	readonly only?: readonly string[];
	/** What to run instead of the types; `types` and `credentials` are then ignored. */
	readonly scenario?: ReadyScenario;
	readonly credentials: ActorCredentials;
	/** Senders in addition to the actors of the types. */
	readonly others?: readonly OtherSender[];
	/** The program that listens as the proxy; the stub by default. */
	readonly proxy?: Proxy | undefined;
	readonly timeoutMs: number;
	readonly traceBufferBytes: number;
	/** Whether the evidence will be written, as text that a replay can read. Reading it by netlink takes less time. */
	readonly isRecorded?: boolean;
	readonly signal: AbortSignal;
	/** Called with the current step, for progress. */
	readonly onProgress: (step: string) => void;
	/** Sysctls set in each namespace before the testbed sets its own, as if inherited from the machine. For tests. */
	readonly presetSysctls?: Sysctls | undefined;
	/** Called at the end with all packets of the sandbox, including link headers. Without it, nothing is captured. */
	readonly onCapture?: (captured: CapturedPackets) => void;
	/** Called with the actors once they run, for tests that kill one. */
	readonly onActors?: (actors: ReadonlyMap<string, {readonly pid: number | undefined; readonly kill: () => void}>) => void;
};
