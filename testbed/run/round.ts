/**
One round: sends some probes and turns what the kernel did into observations. Also does the same from a recording, without a kernel.
*/

import {traceStreams} from '../../src/netfilter/backends.js';
import {isNativeTable, isNatTable, rulesOf} from '../../src/netfilter/lookup.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import type {Probe} from '../../src/scenario/types.js';
import {decodeDatagram} from '../../src/trace/decode/decode.js';
import type {Decoded, TraceEvent} from '../../src/trace/decode/event.js';
import {parseFlows, type ParsedFlows} from '../../src/trace/flows.js';
import type {Gap} from '../../src/trace/gap.js';
import {Joiner, type SocketOwner} from '../../src/trace/legs.js';
import type {KernelTexts, LoadedRule} from '../../src/trace/loaded-rules.js';
import {createLookup} from '../../src/trace/lookup.js';
import {lostInSequence} from '../../src/trace/lost-messages.js';
import {NetlinkFormatError} from '../../src/trace/decode/netlink.js';
import type {Observation} from '../../src/trace/observation.js';
import {assemblePackets} from '../../src/trace/packets.js';
import {canMeetChain} from '../../src/trace/passage.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import {compareCounters} from '../../src/trace/counter-check.js';
import type {ActorGroup} from '../actors/actor-group.js';
import {parseKernelState} from '../tracer/kernel-texts.js';
import {loadFlows} from '../sandbox/conntrack.js';
import type {Netns} from '../sandbox/netns.js';
import type {Recording, TraceSource} from '../tracer/trace-source.js';
import {traceTable} from '../sandbox/own-table.js';
import type {RoundEvidence} from './evidence.js';

/** One first packet to send. `id` tells it from the others of its round and family; `label` is what a gap calls it. */
export type Sending = {readonly id: string; readonly label: string; readonly probe: Probe};

/** Everything that one round left behind, read. */
export type Round = {
	readonly recording: Recording;
	readonly before: readonly LoadedRule[];
	readonly after: readonly LoadedRule[];
	readonly owners: readonly SocketOwner[];
	readonly sockets: readonly SocketRecord[];
	/** The id of the first socket of each probe, and what kept it from an end. */
	readonly probes: ReadonlyArray<{readonly id: string; readonly gap: Gap | undefined}>;
	readonly interfaces: ReadonlyMap<number, string>;
	/** What conntrack held afterwards; undefined where the kernel does not show it, and in recordings from before it was read. */
	readonly flows?: ParsedFlows | undefined;
};

/** Sends the probes, all at once. The trace source must have been started, and `before` read after the rules were installed. */
export async function sendRound(sendings: readonly Sending[], {source, before, loadState, pod, actorGroup, round, untilAborted, indexes}: {
	readonly source: TraceSource;
	readonly before: KernelTexts;
	readonly loadState: () => Promise<KernelTexts>;
	readonly pod: Netns;
	readonly actorGroup: ActorGroup;
	/** Tells the probes of this round from those of an earlier one. */
	readonly round: number;
	readonly untilAborted: <T>(act: Promise<T>) => Promise<T>;
	/** The place of each among all that are to be sent, where these are not all. */
	readonly indexes?: readonly number[];
}): Promise<RoundEvidence> {
	const ends = await untilAborted(Promise.all(sendings.map(async ({id, label, probe}, position) => {
		const probeId = `${round}-${id}-${probe.family}`;
		const {answered, reason} = await actorGroup.actors.get(probe.actor)!.open(probeId, probe.destination, probe);
		return {
			index: indexes?.[position] ?? position, id: probeId, label, answered, reason,
		};
	})));
	await actorGroup.flush();
	const [after, recording] = await Promise.all([loadState(), source.stop()]);
	return {
		before, after, recording, ends, sockets: [...actorGroup.actors.values()].flatMap(({records}) => records), interfaces: [...pod.interfaces()], flows: loadFlows(pod),
	};
}

/**
Reads what a round left behind.

@throws {TestbedError} COMMAND_FAILED when a tool printed something else than it should.
*/
export function readRound({before, after, recording, ends, sockets, interfaces, flows}: RoundEvidence, backend: Backend): Round {
	const {rules, owners} = parseKernelState(after, backend);
	return {
		recording,
		before: parseKernelState(before, backend).rules,
		after: rules,
		owners,
		sockets,
		probes: ends.map(({id, label, answered, reason}) => ({id, gap: answered ? undefined : {kind: 'no-end', message: `The connection of ${label} had no end: ${reason}.`}})),
		interfaces: new Map(interfaces),
		flows: flows === undefined ? undefined : parseFlows(flows),
	};
}

/** A datagram whose framing is broken is one more that is not understood. */
function decode(datagram: Recording['datagrams'][number]): Decoded {
	try {
		return decodeDatagram(datagram);
	} catch (error) {
		if (error instanceof NetlinkFormatError) {
			return {events: [], notUnderstood: [`a datagram that is not netlink's: ${error.message}`]};
		}

		throw error;
	}
}

/** What a round shows of each of its probes. */
export function observeRound({recording, before, after, owners, sockets, probes, interfaces, flows}: Round, ruleSet: RuleSet): readonly Observation[] {
	const gaps: Gap[] = [];
	const events: TraceEvent[] = [];
	// The switch's own events come first: they say which packets there are before legacy's messages tell what these met.
	for (const stream of traceStreams) {
		for (const datagram of recording.datagrams.filter(candidate => candidate.stream === stream)) {
			const decoded = decode(datagram);
			events.push(...decoded.events);
			gaps.push(...decoded.notUnderstood.map(message => ({kind: 'not-understood', message: `The kernel sent ${message}.`} satisfies Gap)));
		}
	}

	gaps.push(...(flows?.notUnderstood ?? []).map((line): Gap => ({kind: 'not-understood', message: `Conntrack shows an entry that is not understood: ${line}`})));
	if (recording.overruns > 0) {
		gaps.push({kind: 'lost-events', message: `The trace socket overflowed ${recording.overruns} times: events are lost.`});
	}

	gaps.push(...lostInSequence(events));
	const {packets, orphans} = assemblePackets(events, createLookup({
		ruleSet, loaded: after, interfaces, traceTable,
	}));
	if (orphans > 0) {
		gaps.push({kind: 'lost-events', message: `${orphans} trace events do not follow from those before them.`});
	}

	// Where there is no rule at all, nothing is to be consulted.
	const hasRules = rulesOf(ruleSet).next().done !== true;
	if (hasRules && packets.some(packet => canMeetChain(packet, ruleSet.tables)) && packets.every(({traversals}) => traversals.length === 0) && recording.overruns === 0) {
		// Measured: a fresh namespace consults nat only once a rule needs conntrack.
		gaps.push({kind: 'not-traced', message: 'No chain was consulted at all. Nat is consulted only where conntrack is on; a rule set without REDIRECT, DNAT or a conntrack match leaves it off.'});
	}

	const natTables = new Set(ruleSet.tables.filter(table => isNatTable(table)).map(({family, name}) => `${family} ${name}`));
	gaps.push(...compareCounters({
		before, after, packets, isNat: ({family, table}) => natTables.has(`${family} ${table}`), isNative: ruleSet.tables.some(table => isNativeTable(table)),
	}));
	const joiner = new Joiner({
		sockets, packets, owners, ruleSet, flows: flows?.flows,
	});
	return probes.map(({id, gap}) => {
		const observation = joiner.join(id);
		// A probe without an answer has its end in the path: refused, dropped or cut. Only where the path does not tell is it a gap.
		const last = observation.path.legs.at(-1)?.end.kind;
		const endIsKnown = observation.loop || last === 'refused' || last === 'dropped' || last === 'unreachable';
		return {...observation, gaps: [...gaps, ...observation.gaps, ...(gap === undefined || endIsKnown ? [] : [gap])]};
	});
}
