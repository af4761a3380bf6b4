/**
Ends connections whose answer cannot come any more, so that nobody waits for it until the timeout.

An answer is missing if nothing in the sandbox is left to do: no packet is on its way, and every process has handled what has arrived. That is no matter of time, so a slow machine changes nothing about it. The order of the looks proves it. If the packets that all devices have passed are as many at the end as at the beginning, nobody has sent one in between. What was sent before the beginning has been processed by the kernel (`packet-watch.ts`), and then every process has handled it without sending anything. From then on only the kernel's own timers can send: when a neighbor is missing, or when TCP repeats a packet. A neighbor that is asked for, and data that TCP has not repeated yet, are waited for; and whether the rules may treat a repeated first packet otherwise than the first is a question to the rules (`repeated-packets.ts`). An error of ICMP that would end the attempt only after the repetition is read from the socket (`watchEnd`).
*/

import {setImmediate as turn, setTimeout as sleep} from 'node:timers/promises';
import {isNatTable} from '../../src/netfilter/lookup.js';
import {printEndpoint} from '../../src/netfilter/path.js';
import {repetitionsThatTell} from '../../src/netfilter/repeated-packets.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {parseFlows} from '../../src/trace/flows.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import type {ActorGroup} from '../actors/actor-group.js';
import type {PacketWatch} from '../sandbox/packet-watch.js';
import {loadFlows} from '../sandbox/load-flows.js';
import type {Netns} from '../sandbox/netns.js';

/** Why a connection gets no answer if it is ended here. */
export const nothingLeft = 'no answer, when no packet was on its way and no process had anything left to do';

/** What is looked at. */
export type WatchedRun = {
	readonly actorGroup: Pick<ActorGroup, 'begun' | 'hasOpenTcp' | 'untilIdle' | 'giveUp' | 'actors'>;
	readonly packetWatch: Pick<PacketWatch, 'packets' | 'drain' | 'isAnyExpected'>;
	readonly pod: Netns;
	readonly ruleSet: RuleSet;
};

/** Between two looks, in milliseconds: most connections are over before the first. A longer wait is looked at less often. */
const [everyMs, partOfWait] = [20, 10];

/** Ends connections, whenever it is sure of them, until the signal is aborted. */
export async function endLostConnections(watched: WatchedRun, signal: AbortSignal): Promise<void> {
	const {actorGroup, packetWatch} = watched;
	const repeated = repeatedIn(watched.ruleSet);
	const began = performance.now();
	let before = stateOf(watched);
	/* eslint-disable no-await-in-loop -- One look after the other. */
	while (await hasSlept(Math.max(everyMs, (performance.now() - began) / partOfWait), signal)) {
		// As long as packets are sent, a look would be in vain.
		const now = stateOf(watched);
		const isBusy = now !== before;
		before = now;
		// Nobody repeats a datagram.
		const {repetitions, isOnceKnown} = actorGroup.hasOpenTcp ? repeated : {repetitions: 0, isOnceKnown: false};
		if (!isBusy && repetitions !== undefined && await isNothingLeft({actorGroup, packetWatch, repetitions, signal}) && (!isOnceKnown || areAllKnown(watched))) {
			actorGroup.giveUp(nothingLeft);
		}
	}
	/* eslint-enable no-await-in-loop */
}

/** Whether nothing is left to do, as the head of this file says. `repetitions`: how often a first packet of TCP without an answer must have been sent again. */
export async function isNothingLeft({actorGroup, packetWatch, repetitions, signal}: Pick<WatchedRun, 'actorGroup' | 'packetWatch'> & {readonly repetitions: number; readonly signal: AbortSignal}): Promise<boolean> {
	const before = stateOf({actorGroup, packetWatch});
	if (!packetWatch.drain()) {
		return false;
	}

	await actorGroup.untilIdle();
	// The clients' sockets are this process's own: the rest of this turn of the event loop, and a whole one.
	await turn();
	await turn();
	return !signal.aborted && stateOf({actorGroup, packetWatch}) === before && !packetWatch.isAnyExpected({firstPackets: repetitions});
}

/** Changes with every packet that is sent, and with every connection that is begun. */
function stateOf({actorGroup, packetWatch}: Pick<WatchedRun, 'actorGroup' | 'packetWatch'>): string {
	return `${packetWatch.packets} ${actorGroup.begun}`;
}

/** Whether some time has passed before the signal was aborted. */
async function hasSlept(ms: number, signal: AbortSignal): Promise<boolean> {
	try {
		await sleep(ms, undefined, {signal});
		return true;
	} catch {
		return false;
	}
}

/** How often a first packet of TCP must have been sent again so that no later one can have an answer; undefined if any can. `isOnceKnown`: this holds only for connections that conntrack has. Nat decides once about each of them, so a rule there that counts or chooses at random does not see a repeated packet. */
type Repeated = {readonly repetitions: number | undefined; readonly isOnceKnown: boolean};

function repeatedIn({tables}: RuleSet): Repeated {
	const inNat = repetitionsThatTell(tables.filter(table => isNatTable(table)));
	const elsewhere = repetitionsThatTell(tables.filter(table => !isNatTable(table)));
	return {repetitions: elsewhere === undefined ? undefined : Math.max(elsewhere, inNat ?? 0), isOnceKnown: inNat === undefined};
}

/** Whether conntrack has each connection of TCP that has no answer. */
function areAllKnown({actorGroup: {actors}, pod}: Pick<WatchedRun, 'actorGroup' | 'pod'>): boolean {
	const open = unansweredTcp([...actors.values()].flatMap(({records}) => records));
	const text = loadFlows(pod);
	if (text === undefined) {
		return false;
	}

	const {flows} = parseFlows(text, {ports: new Set(open.map(({from}) => from.port))});
	const known = new Set(flows.filter(({protocol}) => protocol === 'tcp').map(({source, destination}) => `${printEndpoint(source)} ${printEndpoint(destination)}`));
	return open.every(({from, to}) => known.has(`${printEndpoint(from)} ${printEndpoint(to)}`));
}

/** The connections of TCP whose attempt has not ended. */
function unansweredTcp(records: readonly SocketRecord[]): ReadonlyArray<Extract<SocketRecord, {kind: 'opened'}>> {
	const ended = new Set(records.flatMap(record => record.kind === 'ended' ? [record.id] : []));
	return records.filter(record => record.kind === 'opened').filter(({id, protocol = 'tcp', packet}) => protocol === 'tcp' && packet === undefined && !ended.has(id));
}
