/**
Which class a packet belongs to.
*/

import {parseAddress} from '../netfilter/address.js';
import type {PacketClass, ClassSet} from './classify.js';
import {cutOf, packetKinds, type FieldName, type Fields} from './fields.js';
import type {Representative} from './representatives.js';

/** A packet with all that a class can ask of it. */
export type ExactPacket = Pick<Representative, 'origin' | 'protocol' | 'packet' | 'destination' | 'uid' | 'gid' | 'mark'> & {readonly source: string; readonly sourcePort: number};

/** The place of the class of a packet; undefined for one that the world does not know. */
export function placeOfClass({fields, classes}: Pick<ClassSet, 'fields' | 'classes'>, packet: ExactPacket): number | undefined {
	const cuts = cutsOfPacket(fields, packet);
	if (cuts === undefined) {
		return undefined;
	}

	const place = classes.findIndex(packetClass => packetClass.origin === packet.origin && holds(packetClass, cuts));
	return place === -1 ? undefined : place;
}

type Cuts = Readonly<Record<FieldName, number>>;

function holds({box}: PacketClass, cuts: Cuts): boolean {
	return (Object.keys(cuts) as FieldName[]).every(name => ((box[name] >> BigInt(cuts[name])) & 1n) === 1n);
}

function cutsOfPacket(fields: Fields, {protocol, packet, source, sourcePort, destination, uid = 0, gid = 0, mark = 0}: ExactPacket): Cuts | undefined {
	const {cuts, family, protocols} = fields;
	const [from, to] = [parseAddress(source, family)?.value, parseAddress(destination.address, family)?.value];
	if (from === undefined || to === undefined) {
		return undefined;
	}

	const found: Record<FieldName, number | undefined> = {
		protocol: protocols.indexOf(protocol),
		source: cutOf(cuts.source, from),
		'source-port': cutOf(cuts['source-port'], BigInt(sourcePort)),
		destination: cutOf(cuts.destination, to),
		'destination-port': cutOf(cuts['destination-port'], BigInt(destination.port)),
		uid: cutOf(cuts.uid, BigInt(uid)),
		gid: cutOf(cuts.gid, BigInt(gid)),
		mark: fields.markCutOf(BigInt(mark)),
		packet: packetKinds.indexOf(packet),
	};
	return Object.values(found).includes(undefined) ? undefined : found as Cuts;
}
