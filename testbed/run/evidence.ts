/**
What a play takes from the kernel and from the actors, raw and as plain data: all that is judged is made of this, in a run and in a replay alike. Nothing here asks the kernel.
*/

import type {Credentials} from '../../src/scenario/types.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import type {Recording} from '../tracer/trace-source.js';
import type {RulesText} from '../../src/netfilter/rule-texts.js';
import type {KernelTexts} from '../../src/trace/loaded-rules.js';

/** How the connection of one probe ended for who opened it. `index` is its place among all that were to be sent; `id` is that of its first socket. */
export type ProbeEnd = {readonly index: number; readonly id: string; readonly label: string; readonly answered: boolean; readonly reason: string};

/** Everything that one round left behind. */
export type RoundEvidence = {
	readonly before: KernelTexts;
	readonly after: KernelTexts;
	readonly recording: Recording;
	readonly ends: readonly ProbeEnd[];
	readonly sockets: readonly SocketRecord[];
	readonly interfaces: ReadonlyArray<readonly [index: number, name: string]>;
	/** `/proc/net/nf_conntrack` afterwards; undefined where the kernel does not show it. */
	readonly flows: string | undefined;
};

/** Who an actor was to be, and what the kernel and the process itself say of it. */
export type ActorEvidence = {
	readonly name: string;
	readonly namespace: string;
	readonly asked: Credentials;
	/** Undefined for who only sends: such an actor has no process. */
	readonly pid: number | undefined;
	/** By /proc; undefined where the process is gone, or is not one user. */
	readonly found: Credentials | undefined;
	/** The owner that the kernel wrote on the sockets that were opened for it, a wrong one before a right one; undefined where there was none. In recordings from before it was noted it is missing. */
	readonly made?: Credentials | undefined;
	/** Why the process ended before its time. */
	readonly ended: string | undefined;
	/** What went wrong with single connections, beyond what the records of sockets say. */
	readonly troubles: readonly string[];
};

/** Everything that a play left behind: the rules as the kernel held them, one round or more, and the actors. */
export type KernelEvidence = {
	readonly held: readonly RulesText[];
	readonly rounds: readonly RoundEvidence[];
	readonly actors: readonly ActorEvidence[];
	/** What the kernel said of the sysctls that the testbed set, by the namespace's name and the sysctl's (`net/ipv4/ip_forward`). In recordings from before they were set it is missing. */
	readonly sysctls?: ReadonlyArray<readonly [namespace: string, sysctls: Readonly<Record<string, string>>]>;
};
