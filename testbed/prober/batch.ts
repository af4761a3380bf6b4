/**
One batch of probes: which of them it takes, and what the senders said of them.
*/

import type {RuleSet} from '../../src/netfilter/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import type {EncodedBatch} from './encode.js';
import {resultWords, type SenderAnswer} from './protocol.js';

/** The requests of a batch, with their places among all. */
export type Batch = {readonly requests: readonly ProbeRequest[]; readonly indices: readonly number[]};

/** What one namespace sent of it. `late` are the ends that came after the sending. */
export type Side = {readonly encoded: EncodedBatch; readonly sent: Extract<SenderAnswer, {type: 'sent'}>; readonly late: Map<number, {readonly state: number; readonly error: number}>};

/** Reading 10,000 counters takes a quarter of a second (bench). A batch cannot grow for ever: one destination has some 28,000 source ports. */
export function batchSizeFor(ruleSet: RuleSet): number {
	const rules = ruleSet.tables.reduce((sum, {chains}) => sum + chains.reduce((some, chain) => some + chain.rules.length, 0), 0);
	return rules > 2000 ? 16_384 : 4096;
}

/** As many probes as a batch takes, but each pair of ports that is asked for once only. Those that ask for a source port come first. */
export function planBatch(batch: readonly ProbeRequest[], indices: readonly number[], size: number): {readonly nextBatch: Batch; readonly rest: readonly number[]} {
	const taken: number[] = [];
	const rest: number[] = [];
	const pairs = new Set<string>();
	for (const index of indices) {
		// Two that share both ports may be one connection to the kernel, or each the answer of the other: whatever the addresses, for some rules change them.
		const {protocol, sourcePort, to} = batch[index]!;
		const pair = (sourcePort ?? 0) === 0 ? undefined : `${protocol} ${Math.min(sourcePort!, to.port)} ${Math.max(sourcePort!, to.port)}`;
		if (taken.length < size && (pair === undefined || !pairs.has(pair))) {
			taken.push(index);
			if (pair !== undefined) {
				pairs.add(pair);
			}
		} else {
			rest.push(index);
		}
	}

	// A probe that asks for a source port opens its socket before the kernel gives that port to another: bind would fail with EADDRINUSE.
	const asks = (index: number): boolean => (batch[index]!.sourcePort ?? 0) !== 0;
	const indicesInOrder = [...taken.filter(index => asks(index)), ...taken.filter(index => !asks(index))];
	return {nextBatch: {requests: indicesInOrder.map(index => batch[index]!), indices: indicesInOrder}, rest};
}

/** What a probe has come to so far. */
export function stateOf([{sent, late}, index]: readonly [side: Side, index: number]): number {
	return late.get(index)?.state ?? sent.results[(index * resultWords.words) + resultWords.state]!;
}

/** What has to be said where nothing came back, and where something may have been on its way when that was found. */
export function lateGap(id: string): Gap {
	return {kind: 'no-end', message: `Nothing came back for the probe ${id}, but something may still be on its way: the kernel did not take up the packets that it had queued.`};
}
