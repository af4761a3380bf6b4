/**
One round: sends probes and turns what the kernel did into observations, also from a recording without a kernel.
*/

import {traceStreams} from '../../src/netfilter/backends.js';
import {closingOf} from '../../src/netfilter/path.js';
import {languageOfRules, isNatTable, rulesOf} from '../../src/netfilter/lookup.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import {decodeDatagram} from '../../src/trace/decode/decode.js';
import type {Decoded, TraceEvent} from '../../src/trace/decode/event.js';
import {parseFlows, type ParsedFlows} from '../../src/trace/flows.js';
import type {Gap} from '../../src/trace/gap.js';
import {Joiner} from '../../src/trace/legs.js';
import type {LoadedRule} from '../../src/trace/loaded-rules.js';
import {createLookup} from '../../src/trace/lookup.js';
import type {IsSomewhere} from '../../src/trace/lost-end.js';
import {lostInSequence} from '../../src/trace/lost-messages.js';
import {isAnswer} from '../../src/trace/decode/packet.js';
import {NetlinkFormatError} from '../../src/trace/decode/netlink.js';
import type {Observation} from '../../src/trace/observation.js';
import {assemblePackets} from '../../src/trace/packets.js';
import {canMeetChain} from '../../src/trace/passage.js';
import type {SocketOwner, SocketRecord} from '../../src/trace/sockets.js';
import {compareCounters} from '../../src/trace/counter-check.js';
import type {ActorGroup} from '../actors/actor-group.js';
import {parseKernelState, type KernelReading} from '../tracer/kernel-texts.js';
import {loadFlows} from '../sandbox/load-flows.js';
import type {Netns} from '../sandbox/netns.js';
import type {Recording, TraceSource} from '../tracer/trace-source.js';
import {traceTable} from '../sandbox/own-table.js';
import type {RoundEvidence} from './evidence.js';
import {sendInGroups, type Send, type Sending} from './groups.js';
import {endLostConnections, type WatchedRun} from './lost-answers.js';

/** The parsed evidence of one round. */
export type Round = {
	readonly recording: Recording;
	readonly before: readonly LoadedRule[];
	readonly after: readonly LoadedRule[];
	readonly owners: readonly SocketOwner[];
	readonly sockets: readonly SocketRecord[];
	/** The id of the first socket of each probe, and a gap if it has no end. */
	readonly probes: ReadonlyArray<{readonly id: string; readonly gap: Gap | undefined}>;
	readonly interfaces: ReadonlyMap<number, string>;
	/** The conntrack entries of the round's sockets; undefined if the kernel does not show them, and in older recordings. */
	readonly flows?: ParsedFlows | undefined;
};

/**
Longest wait for the handshake of a socket that is bound to a device, if it is not known when an answer cannot come any more. The rules may give it a destination that this device does not lead to; then its first packet is lost, which the trace shows, and waiting shows nothing more. The kernel answers a first packet by itself while it is being sent, however slow the listener's process is.
*/
const boundHandshakeMs = 250;

function boundWait({bindDevice}: Sending['probe']): {readonly handshakeMs?: number} {
	return bindDevice === undefined ? {} : {handshakeMs: boundHandshakeMs};
}

/** Sends the probes, all at once if the trace has room for them. The trace source must be started, and `before` read after the rules were installed. */
export async function sendRound(sendings: readonly Sending[], {source, before, loadState, pod, actorGroup, round, untilAborted, indexes, lost}: {
	readonly source: TraceSource;
	readonly before: KernelReading;
	readonly loadState: () => Promise<KernelReading>;
	readonly pod: Netns;
	readonly actorGroup: ActorGroup;
	/** Distinguishes the probes of this round from those of earlier ones. */
	readonly round: number;
	readonly untilAborted: <T>(act: Promise<T>) => Promise<T>;
	/** The index of each among all probes of the run, if these are not all. */
	readonly indexes?: readonly number[];
	/** By what connections are ended whose answer cannot come any more; without it, they are waited for until the timeout. */
	readonly lost?: Pick<WatchedRun, 'packetWatch' | 'ruleSet'>;
}): Promise<RoundEvidence> {
	// What was reported before belongs to an earlier round: the actors were asked for everything at its end.
	const reported = new Map([...actorGroup.actors].map(([name, {records}]) => [name, records.length] as const));
	const canEnd = lost !== undefined && await actorGroup.canTellIdle();
	const open: Send<RoundEvidence['ends'][number]> = async ({id, label, probe}, index) => {
		const probeId = `${round}-${id}-${probe.family}`;
		const sentAt = performance.now();
		const {answered, reason} = await actorGroup.actors.get(probe.actor)!.open(probeId, probe.destination, {...probe, ...(canEnd ? {} : boundWait(probe))});
		return {
			index: indexes?.[index] ?? index, id: probeId, label, answered, reason, durationMs: Math.round(performance.now() - sentAt),
		};
	};

	const over = new AbortController();
	const sendAll = async (): Promise<RoundEvidence['ends']> => {
		try {
			return await sendInGroups(sendings, {
				size: source.probesAtOnce, drain() {
					source.drain();
				},
			}, open);
		} finally {
			over.abort();
		}
	};

	const [ends] = await untilAborted(Promise.all([sendAll(), canEnd ? endLostConnections({...lost, actorGroup, pod}, over.signal) : undefined]));
	await actorGroup.flush();
	const [after, recording] = await Promise.all([loadState(), source.stop()]);
	return {
		before, after, recording, ends, sockets: [...actorGroup.actors].flatMap(([name, {records}]) => records.slice(reported.get(name))), interfaces: [...pod.interfaces()], flows: loadFlows(pod),
	};
}

/**
Parses the evidence of a round.

@throws {TestbedError} COMMAND_FAILED if a tool's output cannot be parsed.
*/
export function readRound({before, after, recording, ends, sockets, interfaces, flows}: RoundEvidence, backend: Backend): Round {
	const {rules, owners} = parseKernelState(after, backend);
	return {
		recording,
		before: parseKernelState(before, backend).rules,
		after: rules,
		owners,
		sockets,
		probes: ends.map(({id, label, answered, reason}) => ({id, gap: answered ? undefined : {kind: 'no-end', message: `The connection of ${label} did not end: ${reason}.`}})),
		interfaces: new Map(interfaces),
		flows: flows === undefined ? undefined : parseFlows(flows, portsIn(sockets)),
	};
}

/** The ports that the sockets of a round were opened from, if all are known: a sandbox with many rounds has thousands of entries. */
function portsIn(sockets: readonly SocketRecord[]): {readonly ports?: ReadonlySet<number>} {
	return sockets.some(({kind}) => kind === 'attempted') ? {} : {ports: new Set(sockets.flatMap(socket => socket.kind === 'opened' ? [socket.from.port] : []))};
}

/** Decodes a datagram; one with broken framing counts as not understood. */
function decode(datagram: Recording['datagrams'][number]): Decoded {
	try {
		return decodeDatagram(datagram);
	} catch (error) {
		if (error instanceof NetlinkFormatError) {
			return {events: [], notUnderstood: [`a datagram that is not valid netlink: ${error.message}`]};
		}

		throw error;
	}
}

/** An observation for each probe of a round. */
export function observeRound({recording, before, after, owners, sockets, probes, interfaces, flows}: Round, ruleSet: RuleSet, isSomewhere?: IsSomewhere): readonly Observation[] {
	const gaps: Gap[] = [];
	const events: TraceEvent[] = [];
	// The trace table's own events come first: they show which packets exist before legacy's messages tell what these hit.
	for (const stream of traceStreams) {
		for (const datagram of recording.datagrams.filter(candidate => candidate.stream === stream)) {
			const decoded = decode(datagram);
			events.push(...decoded.events);
			gaps.push(...decoded.notUnderstood.map(message => ({kind: 'not-understood', message: `The kernel sent ${message}.`} satisfies Gap)));
		}
	}

	gaps.push(...(flows?.notUnderstood ?? []).map((line): Gap => ({kind: 'not-understood', message: `Conntrack shows an entry in an unknown form: ${line}`})));
	if (recording.overruns > 0) {
		gaps.push({kind: 'lost-events', message: `The trace socket overflowed ${recording.overruns} times, so events were lost.`});
	}

	gaps.push(...lostInSequence(events));
	const {packets, orphans} = assemblePackets(events, createLookup({
		ruleSet, loaded: after, interfaces, traceTable,
	}));
	if (orphans > 0) {
		gaps.push({kind: 'lost-events', message: `${orphans} trace events do not follow from the events before them.`});
	}

	// Without any rules, no chain is expected to be consulted.
	const hasRules = rulesOf(ruleSet).next().done !== true;
	if (hasRules && packets.some(packet => canMeetChain(packet, ruleSet.tables)) && packets.every(({traversals}) => traversals.length === 0) && recording.overruns === 0) {
		// Measured: in a fresh namespace, packets reach nat only once a rule needs conntrack.
		gaps.push({kind: 'not-traced', message: 'No chain was consulted at all. Packets reach nat only if conntrack is on, and a rule set without REDIRECT, DNAT or a conntrack match leaves it off.'});
	}

	const natTables = new Set(ruleSet.tables.filter(table => isNatTable(table)).map(({family, name}) => `${family} ${name}`));
	// An unacknowledged listener keeps retransmitting its answer while counters and trace are read, one after the other.
	gaps.push(...compareCounters({
		before, after, packets: packets.filter(({header}) => !isAnswer(header)), isNat: ({family, table}) => natTables.has(`${family} ${table}`), language: languageOfRules(ruleSet),
	}));
	const joiner = new Joiner({
		sockets, packets, owners, ruleSet, flows: flows?.flows, isSomewhere,
	});
	return probes.map(({id, gap}) => {
		const observation = joiner.join(id);
		// A probe without an answer usually has its end in the path: refused, dropped, closed or cut. It is a gap only if the path does not show it.
		const last = observation.path.legs.at(-1);
		const endIsKnown = observation.loop || (last !== undefined && (last.end.kind === 'accepted' ? closingOf(last) !== undefined : last.end.kind !== 'unknown'));
		return {...observation, gaps: [...gaps, ...observation.gaps, ...(gap === undefined || endIsKnown ? [] : [gap])]};
	});
}
