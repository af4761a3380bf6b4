/**
One batch of probes: which requests it includes, and the senders' results.
*/

import {familyOfAddress, shortAddress} from '../../src/netfilter/address.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import {decodeResult, type EncodedBatch, type SentRequest} from './encode.js';
import {resultWords, type SenderAnswer} from './protocol.js';

/** The requests of a batch, with their indices among all requests. */
export type Batch = {readonly requests: readonly ProbeRequest[]; readonly indices: readonly number[]};

/** What one namespace sent of a batch. `late` holds ends that came after sending. */
export type Side = {readonly encoded: EncodedBatch; readonly sent: Extract<SenderAnswer, {type: 'sent'}>; readonly late: Map<number, {readonly state: number; readonly error: number}>};

/** The number of probes in a batch. Larger for many rules, because reading 10,000 counters takes a quarter of a second (bench); bounded, because one destination has some 28,000 source ports. */
export function batchSizeFor(ruleSet: RuleSet): number {
	const rules = ruleSet.tables.reduce((sum, {chains}) => sum + chains.reduce((some, chain) => some + chain.rules.length, 0), 0);
	return rules > 2000 ? 16_384 : 4096;
}

/** Whether the kernel may choose an address as the source of a socket in a namespace. */
export type MayChoose = (from: ProbeRequest['from'], address: string) => boolean;

/** Takes as many probes as fit in a batch, leaving out those whose connection the kernel may take for that of another one or for its answers. Probes that request a source port come first. */
export function planBatch(batch: readonly ProbeRequest[], indices: readonly number[], {size, mayChoose = () => true}: {
	readonly size: number; readonly mayChoose?: MayChoose;
}): {readonly nextBatch: Batch; readonly rest: readonly number[]} {
	const taken: number[] = [];
	const rest: number[] = [];
	const byPorts = new Map<string, Ends[]>();
	for (const index of indices) {
		const request = batch[index]!;
		const {protocol, sourcePort = 0, to} = request;
		if (sourcePort === 0) {
			(taken.length < size ? taken : rest).push(index);
			continue;
		}

		const ends = endsOf(request);
		const others = listAt(byPorts, `${protocol} ${familyOfAddress(to.address)} ${Math.min(sourcePort, to.port)} ${Math.max(sourcePort, to.port)}`);
		if (taken.length < size && others.every(other => !isConfusable(ends, other, mayChoose))) {
			taken.push(index);
			others.push(ends);
		} else {
			rest.push(index);
		}
	}

	// A probe that requests a source port must bind it before the kernel assigns that port to another probe, or bind fails with EADDRINUSE.
	const asks = (index: number): boolean => (batch[index]!.sourcePort ?? 0) !== 0;
	const indicesInOrder = [...taken.filter(index => asks(index)), ...byOwner(taken.filter(index => !asks(index)), batch)];
	return {nextBatch: {requests: indicesInOrder.map(index => batch[index]!), indices: indicesInOrder}, rest};
}

function listAt<Key, Value>(lists: Map<Key, Value[]>, key: Key): Value[] {
	const list = lists.get(key) ?? [];
	lists.set(key, list);
	return list;
}

/** The ends of a probe as it is sent. An undefined source is left to the kernel. */
type Ends = Pick<ProbeRequest, 'from' | 'sourcePort'> & {readonly source: string | undefined; readonly destination: string; readonly port: number};

function endsOf({from, source, sourcePort, to: {address, port}}: ProbeRequest): Ends {
	return {
		from, sourcePort, source: source === undefined ? undefined : shortAddress(source) ?? source, destination: shortAddress(address) ?? address, port,
	};
}

/** Whether the connections of two probes with the same two ports may have the same tuple, as they are sent. Where rules change addresses or ports, what follows shows it (`src/trace/fast/clashes.ts`). */
function isConfusable(one: Ends, other: Ends, mayChoose: MayChoose): boolean {
	const isSame = one.sourcePort === other.sourcePort && one.destination === other.destination
		&& (one.source === other.source || one.source === undefined || other.source === undefined);
	const isReverse = one.sourcePort === other.port && mayBeFrom(one, other.destination, mayChoose) && mayBeFrom(other, one.destination, mayChoose);
	return isSame || isReverse;
}

/** Whether a probe may have this source. For a destination that a route makes local, the kernel chooses the destination itself. */
function mayBeFrom({from, source, destination}: Ends, address: string, mayChoose: MayChoose): boolean {
	return source === undefined ? address === destination || mayChoose(from, address) : source === address;
}

/** The same indices, those of one UID and GID together: the sender changes its credentials as seldom as possible, at four system calls each. */
function byOwner(indices: readonly number[], batch: readonly ProbeRequest[]): readonly number[] {
	const groups = new Map<number, number[]>();
	for (const index of indices) {
		const {uid, gid} = batch[index]!;
		const owner = (uid * 0x1_00_00_00_00) + gid; // Below 2^53 only for a UID below 2^21; a collision of others costs a change of credentials, nothing else.
		const group = groups.get(owner);
		if (group === undefined) {
			groups.set(owner, [index]);
		} else {
			group.push(index);
		}
	}

	return [...groups.values()].flat();
}

/** A probe among those that its namespace sent. */
export type Place = {readonly side: Side; readonly index: number};

/** The state of a probe so far. */
export function stateOf({side: {sent, late}, index}: Place): number {
	return late.get(index)?.state ?? sent.results[(index * resultWords.words) + resultWords.state]!;
}

/** The result of a probe. */
export function decodePlace(request: ProbeRequest, {side: {encoded: {toWords}, sent: {results}, late}, index}: Place): SentRequest {
	return decodeResult(request, {
		results, index, toWords: toWords[index]!, late: late.get(index),
	});
}

/** The gap for a probe that nothing came back for while packets may still have been in flight. */
export function lateGap(id: string): Gap {
	return {kind: 'no-end', message: `No answer came back for probe ${id}, but one may still be in flight: the kernel did not process the packets that it had queued.`};
}
