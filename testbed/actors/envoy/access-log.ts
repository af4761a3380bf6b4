/**
Envoy's access log → records of sockets. A TCP proxy writes a line when the connection onward is established, and one when the accepted connection ends; a listener that answers writes the latter only. The own end of a connection that failed is in neither, and is left to the trace (`src/trace/claims.ts`). Everything that does not fit is a problem that makes the run inconclusive.
*/

import {printEndpoint, type Endpoint} from '../../../src/netfilter/path.js';
import {loopStops, type EndedSocket} from '../../../src/trace/sockets.js';
import {familyOf} from '../next-sockets.js';
import type {ActorSpec} from '../protocol.js';
import type {ProcessEvents} from '../proxy.js';
import {keyOfEnds} from '../stop-count.js';
import {sourceOf} from './bootstrap.js';
import {parseLogLine, type LogEntry} from './log-line.js';

type ListenerSpec = ActorSpec['listeners'][number];

/** Response flags (Envoy, `StreamInfo::CoreResponseFlag`): the blackhole cluster has no upstream; the limit of connections is reached. */
const responseFlags = {noUpstream: 'UH', overflow: 'UO'} as const;

/** What one connection that Envoy accepted has come to, by its lines so far. */
type Connection = {readonly first: LogEntry; isCarriedOn: boolean; isOver: boolean};

/** The log of one process, line by line. */
export class AccessLog {
	readonly #spec: ActorSpec;
	readonly #events: Pick<ProcessEvents, 'onRecord' | 'onTrouble'>;
	readonly #connections = new Map<number, Connection>();
	/** The accepted connection that each opened one carries on, by the ends of the latter. */
	readonly #parents = new Map<string, number>();
	/** Connections that Envoy did not carry on because it had as many open as it may. */
	readonly #overLimit: LogEntry[] = [];

	constructor(spec: ActorSpec, events: Pick<ProcessEvents, 'onRecord' | 'onTrouble'>) {
		this.#spec = spec;
		this.#events = events;
	}

	/** How many connections the lines so far tell of. */
	get connections(): number {
		return this.#connections.size;
	}

	/** Takes the next line, without its end. */
	take(text: string): void {
		const entry = parseLogLine(text);
		if ('complaint' in entry) {
			this.#problem(`wrote a line to its access log that is not understood (${entry.complaint}): ${JSON.stringify(text.slice(0, 200))}`);
			return;
		}

		const listener = this.#spec.listeners[entry.listener];
		const stops = listener === undefined ? undefined : this.#stopsOf(listener, entry);
		if (listener === undefined || stops === undefined) {
			this.#problem(`accepted a connection at ${printEndpoint(entry.local)} by its listener ${entry.listener}, which does not listen there`);
			return;
		}

		const known = this.#connections.get(entry.id);
		const complaint = known === undefined ? undefined : complaintAbout(known, entry);
		if (complaint !== undefined) {
			this.#problem(`${complaint} the connection ${entry.id} from ${printEndpoint(entry.peer)} in its access log`);
			return;
		}

		const connection = known ?? {first: entry, isCarriedOn: false, isOver: false};
		if (known === undefined) {
			this.#connections.set(entry.id, connection);
			this.#accept(entry, {listener, ...stops});
		}

		if (listener.duty !== 'answer' && !connection.isCarriedOn) {
			this.#carryOn(entry, listener);
		}

		if (entry.event === 'TcpUpstreamConnected') {
			connection.isCarriedOn = true;
		} else {
			connection.isOver = true;
		}
	}

	/** Decides what only all lines together tell. */
	finish(): void {
		for (const entry of this.#overLimit.splice(0)) {
			if (this.#stopsBefore(entry) > loopStops) {
				this.#events.onRecord({kind: 'cut', id: this.#idOf(entry), reason: 'loop'});
			} else {
				// Other flows may have used up what there is. It sent nothing, so the trace has nothing that this could be.
				const to = this.#destinationOf(this.#spec.listeners[entry.listener]!, entry.wanted);
				this.#fail(entry, to, {result: 'timeout', reason: 'Envoy had as many connections open as it may'});
			}
		}
	}

	#problem(text: string): void {
		this.#events.onTrouble(`Envoy, which is ${this.#spec.name}, ${text}.`);
	}

	#idOf({id}: Pick<LogEntry, 'id'>): string {
		return `${this.#spec.name}-${id}`;
	}

	/** The stop that took a connection, and the one that was given it; undefined where the listener is not at that end. */
	#stopsOf(listener: ListenerSpec, {local, wanted}: LogEntry): {readonly stop: string; readonly handedTo: string | undefined} | undefined {
		const named = ({stop, stopsByAddress}: ListenerSpec): string => stopsByAddress?.[local.address] ?? stop;
		// Under TPROXY a listener that captures takes connections at their own destination.
		if (listener.port === local.port || (this.#spec.transparent !== undefined && listener.duty === 'inbound')) {
			return {stop: named(listener), handedTo: undefined};
		}

		const first = this.#spec.listeners.find(({handsOver, port}) => handsOver === true && port === local.port);
		// A connection is handed over to the listener at its destination, and to no other.
		const isMeant = listener.port === wanted.port && (listener.only === undefined || listener.only[familyOf(wanted)] === wanted.address);
		return first === undefined || !isMeant ? undefined : {stop: named(first), handedTo: listener.stop};
	}

	#accept(entry: LogEntry, {listener, stop, handedTo}: {readonly listener: ListenerSpec; readonly stop: string; readonly handedTo: string | undefined}): void {
		const {peer, local, wanted} = entry;
		this.#events.onRecord({
			kind: 'accepted',
			id: this.#idOf(entry),
			actor: this.#spec.name,
			stop,
			peer,
			local,
			originalDestination: listener.duty === 'answer' || listener.forwardTo !== undefined ? undefined : wanted,
			wanted,
			...(handedTo === undefined ? {} : {handedTo}),
		});
	}

	/** The connection onward, as far as the line tells of it. */
	#carryOn(entry: LogEntry, listener: ListenerSpec): void {
		const id = this.#idOf(entry);
		const {wanted, from, flags, to: named} = entry;
		if (listener.closes?.includes(wanted.port) === true) {
			if (flags.includes(responseFlags.noUpstream)) {
				this.#events.onRecord({kind: 'cut', id, reason: 'own-port'});
			} else {
				this.#problem(`should have closed a connection to its own port ${wanted.port}, and did something else with it (${flags.join(', ')})`);
			}

			return;
		}

		if (flags.includes(responseFlags.overflow)) {
			this.#overLimit.push(entry);
			return;
		}

		const to = this.#destinationOf(listener, wanted);
		if (named !== undefined && printEndpoint(named) !== printEndpoint(to)) {
			this.#problem(`carried on a connection to ${printEndpoint(wanted)} to ${printEndpoint(named)}, and was configured to carry it on to ${printEndpoint(to)}`);
			return;
		}

		const common = {
			id: `${id}-next`, parent: id, actor: this.#spec.name, family: familyOf(to), to,
		} as const;
		if (entry.event === 'TcpUpstreamConnected') {
			if (from === undefined) {
				this.#problem(`does not name its own end of a connection to ${printEndpoint(to)} in its access log`);
				return;
			}

			this.#parents.set(keyOfEnds({from, to}), entry.id);
			this.#events.onRecord({...common, kind: 'opened', from});
			this.#events.onRecord({
				kind: 'ended', id: common.id, result: 'connected', reason: '',
			});
			return;
		}

		if (from !== undefined) {
			this.#problem(`reports the end of a connection from ${printEndpoint(from)} to ${printEndpoint(to)} in its access log, and not that it was established`);
			return;
		}

		this.#fail(entry, to, failureOf(entry, this.#spec));
		if (isWithoutSource(entry)) {
			this.#events.onRecord({kind: 'cut', id: common.id, reason: 'no-source'});
		}
	}

	/** A connection onward that was never established. */
	#fail(entry: LogEntry, to: Endpoint, end: Pick<EndedSocket, 'result' | 'reason'>): void {
		const source = isWithoutSource(entry) ? undefined : sourceOf(this.#spec, {listener: this.#spec.listeners[entry.listener]!, family: familyOf(to), client: entry.peer.address});
		const parent = this.#idOf(entry);
		const id = `${parent}-next`;
		this.#events.onRecord({
			kind: 'attempted', id, parent, actor: this.#spec.name, family: familyOf(to), ...(source === undefined ? {} : {source}), to,
		});
		this.#events.onRecord({kind: 'ended', id, ...end});
	}

	/** Where Envoy was configured to carry a connection on to. */
	#destinationOf({duty, forwardTo, carries}: ListenerSpec, wanted: Endpoint): Endpoint {
		const family = familyOf(wanted);
		if (forwardTo !== undefined) {
			return {address: forwardTo.addresses[family], port: forwardTo.port};
		}

		return duty === 'outbound'
			? this.#spec.services[`${wanted.address} ${wanted.port}`] ?? wanted
			: {address: carries?.host?.[family] ?? wanted.address, port: wanted.port};
	}

	/** How many stops a connection's flow had in this process before it, as far as that decides whether it is a loop. */
	#stopsBefore(entry: LogEntry): number {
		let stops = 0;
		let current: LogEntry | undefined = entry;
		while (current !== undefined && stops <= loopStops) {
			const parent = this.#parents.get(keyOfEnds({from: current.peer, to: current.wanted}));
			current = parent === undefined ? undefined : this.#connections.get(parent)?.first;
			stops++;
		}

		return stops;
	}
}

/** What is wrong with another line of a connection, as a verb; undefined where nothing is. */
function complaintAbout({first, isCarriedOn, isOver}: Connection, entry: LogEntry): string | undefined {
	const isSame = (['peer', 'local', 'wanted'] as const).every(end => printEndpoint(first[end]) === printEndpoint(entry[end])) && first.listener === entry.listener;
	if (!isSame) {
		return 'contradicts itself about';
	}

	return isOver || (isCarriedOn && entry.event === 'TcpUpstreamConnected') ? 'reports twice' : undefined;
}

/** Envoy could not bind the address that the connection onward should have had, and connected all the same. */
function isWithoutSource({failure}: LogEntry): boolean {
	return failure.startsWith('failed to bind to ');
}

/** How a connection that was never established ended. */
function failureOf({failure}: LogEntry, {timeoutMs}: Pick<ActorSpec, 'timeoutMs'>): Pick<EndedSocket, 'result' | 'reason'> {
	// Without a reason it had no answer: either the limit was reached, or the client was gone before.
	if (failure === '' || failure.includes('timeout')) {
		return {result: 'timeout', reason: `no answer within ${timeoutMs} ms`};
	}

	return {result: failure.includes('Connection refused') ? 'refused' : 'unreachable', reason: failure};
}
