/**
What a live namespace holds, as it was read: texts of rules, addresses, listeners. Plain data.
*/

import type {SidecarRouting} from '../../src/mesh/routing.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';

/** The words before the colon of a rule input that is read from a namespace of this machine. */
export const nodeKinds = ['netns', 'pid', 'container'] as const;

/** One of them. */
export type NodeKind = typeof nodeKinds[number];

/** The words before the colon of a rule input that is read from a live pod, wherever it runs. */
export const liveKinds = [...nodeKinds, 'kubectl'] as const;

/** One of them. */
export type LiveKind = typeof liveKinds[number];

/** Which namespace to read: by its name or path, by a process in it, or by a container. */
export type LiveTarget =
	| {readonly kind: 'netns'; readonly name: string}
	| {readonly kind: 'pid'; readonly pid: number}
	| {readonly kind: 'container'; readonly id: string};

/** The rules as the tools print them. An empty text means that there are none. */
export type LiveRules = {
	/** `nft list ruleset`: native tables, and those of iptables in translation. */
	readonly listing: string;
	/** What each back end of iptables saves, by family. */
	readonly saved: ReadonlyArray<{readonly backend: Backend; readonly texts: Readonly<Record<AddressFamily, string>>}>;
};

/** An address of an interface. */
export type LiveAddress = {readonly device: string; readonly family: AddressFamily; readonly address: string; readonly prefixLength: number; readonly scope: string};

/** A socket that waits for connections (TCP) or packets (UDP). The user is the one that the kernel noted when the socket was created; `gid` and `process` are known if a process that has it could be looked at. */
export type LiveListener = {
	readonly protocol: 'tcp' | 'udp';
	readonly address: string;
	readonly port: number;
	readonly uid: number;
	readonly gid: number | null;
	readonly process: string | null;
};

/** Everything that was read. */
export type LivePod = {
	/** What was read, in words: `process 4711 (envoy)`. */
	readonly place: string;
	/** A process in the namespace, if there is one. */
	readonly pid: number | null;
	readonly rules: LiveRules;
	readonly addresses: readonly LiveAddress[];
	readonly devices: readonly string[];
	/** Rules by mark, routes in tables of their own, and addresses of lo besides the usual ones. */
	readonly routing: SidecarRouting;
	/** Kernel modules that were loaded while it was read. */
	readonly modules: readonly string[];
	readonly listeners: readonly LiveListener[];
	/** Those of the process's /etc/resolv.conf; null if it could not be read. */
	readonly nameservers: readonly string[] | null;
};

