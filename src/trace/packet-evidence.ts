/**
What the trace of a connection's first packet shows, and what is missing in it. Shared by the joiner of paths and by the prober.
*/

import type {Traversal} from '../netfilter/path.js';
import {tablesOf, tablesWithRules} from '../netfilter/lookup.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';
import type {Gap} from './gap.js';
import type {TracedPacket} from './packets.js';
import {canMeetChain, chainsMissed, isLeftOutByNat} from './passage.js';

/** The traversals that belong to a path, and why they may not be trusted. `missedOnArrival` are the gaps of a packet that is known to have arrived. */
export type PacketEvidence = {readonly traversals: readonly Traversal[]; readonly gaps: readonly Gap[]; readonly missedOnArrival: () => readonly Gap[]};

/** What the packets with the addresses of one socket pair show. If there are several, they are attempts of the same connection. */
export function packetEvidence({name, attempts, family, ruleSet, wanted}: {
	/** Who, from where, to where: for messages. */
	readonly name: string; readonly attempts: readonly TracedPacket[]; readonly family: AddressFamily; readonly ruleSet: RuleSet;
	/** Present if the packet was sent as one that conntrack should consider invalid. */
	readonly wanted?: 'invalid' | undefined;
}): PacketEvidence {
	const gaps: Gap[] = [];
	const [packet, ...again] = attempts;
	if (packet?.seen !== true) {
		gaps.push({kind: 'not-traced', message: `The first packet of ${name} does not appear in the trace.`});
	}

	if (wanted === 'invalid' && packet?.isInvalid !== true) {
		gaps.push({kind: 'unwitnessed', message: `The packet of ${name} was sent as one that conntrack should consider invalid, but the trace does not show that it did.`});
	}

	const tables = tablesWithRules(ruleSet, family);
	const traversals = packet?.traversals.filter(({table}) => tables.includes(table)) ?? [];
	const under = tablesOf(ruleSet, family).filter(({name: table}) => tables.includes(table));
	if (packet !== undefined && traversals.length === 0 && canMeetChain(packet, under)) {
		gaps.push({kind: 'not-traced', message: `The first packet of ${name} was seen, but no chain of ${tables.join(', ')} shows it.`});
	}

	if (packet !== undefined && traversals.length > 0 && isLeftOutByNat(packet, traversals, under)) {
		gaps.push({kind: 'not-traced', message: `The first packet of ${name} was seen, but nat did not process it: the kernel took it for one of a known connection.`});
	}

	for (const traversal of traversals) {
		if (traversal.end.by === 'open') {
			gaps.push({kind: 'open-traversal', message: `The trace of ${name} does not say how ${traversal.table} ${traversal.chain} was left.`});
		}

		for (const hit of traversal.hits.filter(({number}) => number === undefined)) {
			gaps.push({kind: 'open-traversal', message: `The trace of ${name} names handle ${hit.handle} in ${hit.table} ${hit.chain}, which no rule has.`});
		}
	}

	if (again.some(other => !isRetransmission(other, packet!) && hitsOf(other) !== hitsOf(packet!) && other.traversals.length > 0)) {
		gaps.push({kind: 'ambiguous', message: `A repeated packet of ${name} took another path than the first.`});
	}

	return {
		traversals,
		gaps,
		missedOnArrival: () => packet === undefined || traversals.length === 0
			? []
			: chainsMissed(packet, under).map((chain): Gap => ({kind: 'not-traced', message: `The first packet of ${name} arrived, but the trace does not show it in ${chain}.`})),
	};
}

/** Whether a packet is the other one sent again by its socket. Conntrack knows the connection by then: nat no longer processes it, and its state may be different, so such a packet may take another path and shows nothing about the first. */
function isRetransmission({header: {sequence}}: TracedPacket, {header}: TracedPacket): boolean {
	return sequence !== undefined && sequence === header.sequence;
}

function hitsOf(packet: TracedPacket): string {
	return packet.traversals.flatMap(({hits}) => hits.map(({table, chain, number}) => `${table} ${chain} ${number}`)).join(', ');
}
