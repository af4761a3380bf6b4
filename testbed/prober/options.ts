/**
The options and answers of a prober.
*/

import type {AddressFamily, Backend, RuleSet} from '../../src/netfilter/types.js';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import type {DeliveredLeg} from '../../src/trace/fast/first-leg.js';
import type {Gap} from '../../src/trace/gap.js';
import type {Listening} from '../../src/trace/tproxy-socket.js';
import type {Netns} from '../sandbox/netns.js';
import type {Unsendable} from './encode.js';

/** The result of a probe. `leg` is undefined if nothing was sent: then `unsendable` says why the kernel sends no such packet, or a gap says what was missing. */
export type ProbeAnswer = {readonly id: string; readonly leg: DeliveredLeg | undefined; readonly gaps: readonly Gap[]; readonly unsendable?: Unsendable};

/** The options of a prober. */
export type ProberOptions = {
	/** Without a table of the tracer or of another prober in the pod. */
	readonly sandbox: {readonly pod: Netns; readonly remote: Netns; readonly answered: readonly string[]; readonly podInterface?: string};
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	/** As installed in the kernel: what `installRules` returned. */
	readonly ruleSet: RuleSet;
	/** Transparent sockets in the pod for TPROXY to assign packets to, like the proxy's; none by default. Without one, TPROXY drops the packet. */
	readonly listening?: readonly Listening[] | undefined;
	/** How long an answer may take before its probe counts as unanswered; half a second at most. */
	readonly timeoutMs?: number;
	/** Probes between two readings of the counters: 4,096 by default, more if there are so many rules that reading takes long. */
	readonly batchSize?: number;
	/** Whether invalid packets may be sent: see `ProbeRequest`. This turns conntrack on in the pod, whatever the rules do, and costs each probe two more trace messages. */
	readonly hasInvalid?: boolean | undefined;
	/** Bytes of trace that the kernel may queue. */
	readonly bufferBytes?: number;
	/** Whether the sandbox is removed with the prober, so that its table need not be. */
	readonly isSandboxRemoved?: boolean;
	/** For tests: called between sending a batch and first reading its trace, to simulate a machine that gives the testbed no processor time then. */
	readonly beforeRead?: (() => Promise<void>) | undefined;
};

/** The part of a call that is being sent: the requests at these indices, in batches of a size. */
export type Sending = {
	readonly batch: readonly ProbeRequest[];
	readonly indices: readonly number[];
	readonly size: number;
	/** How often they have been sent before. */
	readonly repeat: number;
	readonly answers: ProbeAnswer[];
	readonly signal: AbortSignal | undefined;
};
