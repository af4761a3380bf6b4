/**
The contract of a proxy: what a program must do to act as a sidecar's proxy in the testbed. The stub (`stub-process.ts`) is one implementation.

A path is joined from what the processes report about their sockets, so a proxy must report every connection that it accepts and every connection that it opens to forward one. Whatever it does not report is missing from the path, which makes the path inconclusive.
*/

import type {SocketRecord} from '../../src/trace/sockets.js';
import type {Netns} from '../sandbox/netns.js';
import type {ActorSpec} from './protocol.js';

/** Resolves once a namespace has its addresses, or could not get them. Never rejects. */
export type Configured = Promise<readonly [PromiseSettledResult<void>]>;

/** Where a process runs, and what it listens on. */
export type ProcessPlace = {
	readonly netns: Netns;
	readonly spec: ActorSpec;
	/** Given if the process binds an address that its namespace may not have yet: it must not listen before this resolves. */
	readonly configured?: Configured | undefined;
};

/** What a process reports, from its start to its end. */
export type ProcessEvents = {
	/**
	Called for each socket that it accepted, opened, failed to open, or deliberately closed, and at the end of each attempt to connect. Ids are unique among all actors of a run, so they begin with the actor's name.

	- An `accepted` record has both ends as the kernel showed them to the process, and the original destination (SO_ORIGINAL_DST, or the local address if there is none).
	- An `opened` record has the id of the accepted one as its `parent`.
	*/
	readonly onRecord: (record: SocketRecord) => void;
	/** Called for a problem with one connection that no record shows. It makes every path of the actor inconclusive. */
	readonly onTrouble: (message: string) => void;
	/** Called when the process ends, with a sentence that says how. Not required after `kill` or disposal. */
	readonly onEnd: (message: string) => void;
};

/** A process that listens, started and ready. */
export type ListeningProcess = AsyncDisposable & {
	readonly pid: number;
	/** Aborts each connection that it opened and that has no answer yet. Resolves once everything it has done so far is reported and it will send no further first packets. */
	readonly flush: () => Promise<void>;
	/** Resolves once it has handled everything that had arrived when this was called, and waits for nothing but answers to what it sent. A program without this cannot tell, so then no answer counts as missing before its timeout. */
	readonly untilIdle?: (() => Promise<void>) | undefined;
	/** Kills it, like a crash. */
	readonly kill: () => void;
};

/** Programs of other projects that can be the proxy. A name is a value of `--proxy`, and `--NAME FILE` says which program it is. `proxies.ts` starts each of them. */
export const otherProxies = ['envoy'] as const;

/** The name of such a program. */
export type OtherProxy = typeof otherProxies[number];

/** The variable that says where such a program is, unless its option does: `ENVOY`. */
export function programVariableOf(name: OtherProxy): string {
	return name.toUpperCase();
}

/** The proxies that users can choose from. */
export const proxyNames = ['stub', ...otherProxies] as const;

/** The name of a proxy. */
export type ProxyName = typeof proxyNames[number];

/** A program that can act as the proxy of a run. */
export type Proxy = {
	/** Its name in options and reports. */
	readonly name: string;
	/** Its version, for reports, if it is another project's program. */
	readonly version?: string;
	/**
	Starts it in the namespace, as the UID and GID of the spec, and resolves once every listener of the spec accepts connections. It sends nothing before the first connection, and ends when this process ends, however that happens.

	@throws {TestbedError} ACTOR_FAILED if it cannot start or listen; the error in `configured`, if the namespace could not get its addresses. Nothing is left running.
	*/
	readonly start: (place: ProcessPlace, events: ProcessEvents) => Promise<ListeningProcess>;
};
