/**
Moves of sockets that are bound to a device, of which only those are news that other sockets do not share: where the proxy captures less or more, the packets of a bound socket move too, from lost to direct or back, and saying so again for each move would tell nothing.
*/

import {difference, type PacketSet} from '../packet-classes/packet-set.js';
import type {PacketClass} from '../packet-classes/classify.js';

/** The part of a move that this needs. */
type MoveOfClass = {readonly severity: string; readonly packetClass: PacketClass};

/** With more remaining sets, a move is simply kept. */
const restMax = 500;

/** The moves without those of bound sockets whose packets all move from other sockets as well. A different path to the same stops does not make up for a move. */
export function withoutImplied<Each extends MoveOfClass>(moves: readonly Each[]): readonly Each[] {
	const others = moves.filter(({packetClass: {origin, device}}) => origin === 'pod' && device === undefined);
	return moves.filter(({severity, packetClass}) => packetClass.device === undefined
		|| !isCovered(packetClass.packetSet, others.filter(other => severity === 'path' || other.severity !== 'path').map(other => other.packetClass.packetSet)));
}

function isCovered(packetSet: PacketSet, by: readonly PacketSet[]): boolean {
	let rest: readonly PacketSet[] = [packetSet];
	for (const other of by) {
		rest = rest.flatMap(each => difference(each, other));
		if (rest.length === 0 || rest.length > restMax) {
			break;
		}
	}

	return rest.length === 0;
}
