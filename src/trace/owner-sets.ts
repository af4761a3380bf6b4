/**
The sets in which the trace table records whose sockets sent first packets: the user in one, the group in another. One set for both would be simpler, but not every supported version of nft takes so long a key (tried: 1.0.6).
*/

import {addressFamilies, type AddressFamily} from '../netfilter/types.js';
import type {SentEnds, SocketOwner} from './sockets.js';

/** What one set records: users or groups, of packets of one family and protocol. */
export type OwnerSet = {readonly name: string; readonly family: AddressFamily; readonly protocol: 'tcp' | 'udp'; readonly of: 'uid' | 'gid'};

/** One element: the ends of a packet, and the number of the user or group of its socket. */
export type OwnerRecord = Required<SentEnds> & Pick<OwnerSet, 'of'> & {readonly number: number};

/** All sets. */
export const ownerSets: readonly OwnerSet[] = addressFamilies.flatMap(family => (['tcp', 'udp'] as const).flatMap(protocol => (['uid', 'gid'] as const).map(of => ({
	name: `${protocol}-${of}s-${family}`, family, protocol, of,
}))));

const network: Readonly<Record<AddressFamily, string>> = {ipv4: 'ip', ipv6: 'ip6'};

/** The key of a set, in nft's language. Both ends tell sockets apart; see {@link SocketOwner}. */
export function keyOfOwners({family, of}: OwnerSet): string {
	return `${network[family]} saddr . th sport . ${network[family]} daddr . th dport . meta sk${of}`;
}

/** Joins users and groups by their packets. A packet of which only one is recorded was sent between the two readings, so nothing is said of it. The kernel may list an element twice, while it moves the elements of a set that is emptied again and again (`rhashtable_walk_next` in lib/rhashtable.c rewinds). */
export function joinOwners(records: readonly OwnerRecord[]): readonly SocketOwner[] {
	const packets = new Map<string, {readonly ends: Required<SentEnds>; readonly uid: Set<number>; readonly gid: Set<number>}>();
	for (const {of, number, ...ends} of records) {
		const key = JSON.stringify([ends.family, ends.protocol, ends.from.address, ends.from.port, ends.to.address, ends.to.port]);
		const known = packets.get(key) ?? {ends, uid: new Set(), gid: new Set()};
		known[of].add(number);
		packets.set(key, known);
	}

	return [...packets.values()].flatMap(({ends, uid: uids, gid: gids}) => [...uids].flatMap(uid => [...gids].map(gid => ({...ends, uid, gid}))));
}
