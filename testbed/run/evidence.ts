/**
The raw evidence of a run, from the kernel and the actors, as plain data. Runs and replays are both judged from it alone. Nothing here uses the kernel.
*/

import type {Credentials} from '../../src/mesh/traffic.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import type {Recording} from '../tracer/trace-source.js';
import type {RulesText} from '../../src/netfilter/rule-texts.js';
import type {KernelReading} from '../tracer/kernel-texts.js';

/** How the connection of one probe ended for its opener. `index` is its index among all probes of the run; `id` is that of its first socket. */
export type ProbeEnd = {
	readonly index: number;
	readonly id: string;
	readonly label: string;
	readonly answered: boolean;
	readonly reason: string;
	/** How long it took from the moment it was sent. Missing in older recordings. */
	readonly durationMs?: number;
};

/** The evidence of one round. */
export type RoundEvidence = {
	readonly before: KernelReading;
	readonly after: KernelReading;
	readonly recording: Recording;
	readonly ends: readonly ProbeEnd[];
	readonly sockets: readonly SocketRecord[];
	readonly interfaces: ReadonlyArray<readonly [index: number, name: string]>;
	/** `/proc/net/nf_conntrack` after the round; undefined if the kernel does not have it. */
	readonly flows: string | undefined;
};

/** The intended user of an actor, and what the kernel and the process itself report about it. */
export type ActorEvidence = {
	readonly name: string;
	readonly namespace: string;
	readonly asked: Credentials;
	/** Undefined for an actor that only sends and so has no process. */
	readonly pid: number | undefined;
	/** From /proc; undefined if the process is gone or has mixed credentials. */
	readonly found: Credentials | undefined;
	/** The owner that the kernel recorded for the sockets opened for the actor: a wrong one if there was any; undefined without sockets. Missing in older recordings. */
	readonly made?: Credentials | undefined;
	/** Why the process ended early. */
	readonly ended: string | undefined;
	/** Problems with single connections that no socket record shows. */
	readonly troubles: readonly string[];
};

/** The evidence of a run: the rules in the kernel, one or more rounds, and the actors. */
export type KernelEvidence = {
	readonly held: readonly RulesText[];
	readonly rounds: readonly RoundEvidence[];
	readonly actors: readonly ActorEvidence[];
	/** The addresses and ranges that some namespace answered for. Missing in older recordings. */
	readonly answered?: readonly string[];
	/** The values that the kernel reported for the sysctls that the testbed set, by the names of namespace and sysctl (`net/ipv4/ip_forward`). Missing in older recordings. */
	readonly sysctls?: ReadonlyArray<readonly [namespace: string, sysctls: Readonly<Record<string, string>>]>;
};
