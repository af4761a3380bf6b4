/**
The table that turns tracing on and records the owner of each packet's socket. It comes before everything else (priority -350; raw is at -300) and belongs to the testbed: `meta nftrace` sets the same bit in the packet as the TRACE target, for every back end.
*/

import {addressFamilies} from '../../src/netfilter/types.js';
import type {NftListing} from '../../src/trace/loaded-rules.js';
import {invalidChains} from '../../src/trace/packets.js';
import {
	joinOwners, keyOfOwners, ownerSets, type OwnerRecord, type OwnerSet,
} from '../../src/trace/owner-sets.js';
import type {SocketOwner} from '../../src/trace/sockets.js';
import {TestbedError} from '../errors.js';
import {beginTable, traceTable} from '../sandbox/own-table.js';

/** The set in recordings before version 4: `meta nfproto . meta l4proto . th sport . th dport . meta skuid . meta skgid`. */
const formerOwners = 'owners';

// First packets only: the SYN of a connection, and everything that is not TCP, which may be a first packet as well and counts in nat.
const firstPackets = ['tcp flags & (fin|syn|rst|ack) == syn', 'meta l4proto != tcp'];
// The kernel's own messages when interfaces join multicast groups (RFC 3810), at some time in the first second. They belong to no test, but a rule without matches would count them, before or after its counter is read.
const ownChatter = 'icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } drop';
/** Matches the answers to a SYN: a listener's SYN with ACK, or a reset. */
export const answerMatches = ['tcp flags & (syn|ack) == (syn|ack)', 'tcp flags & rst == rst'];
/** Matches the invalid packets that actors send: TCP with flags that nothing else sends. */
export const invalidPackets = 'tcp flags & (fin|syn|rst|ack) == (fin|syn|ack)';

/** The capacity of each set; packets of a round beyond that have no owner, which is a gap. The kernel makes room for all of them at once (`rounded_hashtable_size` in lib/rhashtable.c): the largest number for which it takes 16,384 buckets. With 65,535 in each of eight sets, a table takes 7 ms longer to come and go, a third. */
const ownersMax = 12_287;

const ownerSetsText = ownerSets.map(set => `
	set ${set.name} {
		typeof ${keyOfOwners(set)}
		flags dynamic
		size ${ownersMax}
	}`).join('\n');

/** Records the owners of packets of a protocol that match. */
function recordOwners(protocol: OwnerSet['protocol'], match: string): string {
	return addressFamilies.map(family => {
		const sets = ownerSets.filter(set => set.family === family && set.protocol === protocol);
		return `meta nfproto ${family} ${match} ${sets.map(set => `add @${set.name} { ${keyOfOwners(set)} }`).join(' ')}`;
	}).join('\n');
}

/** Two chains right after conntrack (priority -200) that show which traced packets it classifies as invalid. */
export const invalidCheck = ([['prerouting', invalidChains.received], ['output', invalidChains.sent]] as const).map(([hook, name]) => `
	chain ${name} {
		type filter hook ${hook} priority -199; policy accept;
		ct state invalid counter
	}`).join('\n');

/** What is traced besides first packets of connections. */
export type TraceChoice = {readonly hasInvalid: boolean; readonly hasAnswers?: boolean};

/** Turns tracing on for all packets that are to be traced, in either direction. */
function traceOn({hasInvalid, hasAnswers}: Required<TraceChoice>): string {
	return [...firstPackets, ...(hasAnswers ? answerMatches : []), ...(hasInvalid ? [invalidPackets] : [])].map(match => `${match} meta nftrace set 1`).join('\n');
}

/**
The table as input for `nft -f`. It replaces the table of an earlier round, unless it is the first one.

With `hasInvalid` it also traces invalid packets, and shows right after conntrack (priority -200) that they are invalid. This turns conntrack on in the namespace, so it is off by default.

With `hasAnswers` it also traces the answers to first TCP packets, for connections whose end is unknown: a rule may drop the answers.
*/
export const traceTableText = ({hasInvalid, hasAnswers = false, isFirst = false}: TraceChoice & {readonly isFirst?: boolean}): string => `
${beginTable(isFirst)}table inet ${traceTable} {
	${ownerSetsText}
	chain prerouting {
		type filter hook prerouting priority -350; policy accept;
		${ownChatter}
		${traceOn({hasInvalid, hasAnswers})}
	}
	chain output {
		type filter hook output priority -350; policy accept;
		${ownChatter}
		${recordOwners('tcp', firstPackets[0]!)}
		${recordOwners('udp', 'meta l4proto udp')}
		${hasInvalid ? recordOwners('tcp', invalidPackets) : ''}
		${traceOn({hasInvalid, hasAnswers})}
	}
	${hasInvalid ? invalidCheck : ''}
}
`;

const protocols: Readonly<Record<string, 'tcp' | 'udp'>> = {tcp: 'tcp', udp: 'udp', 6: 'tcp', 17: 'udp'};

const families: Readonly<Record<string, 'ipv4' | 'ipv6'>> = {ipv4: 'ipv4', ipv6: 'ipv6', 2: 'ipv4', 10: 'ipv6'};

type Listed = {readonly nftables: ReadonlyArray<{readonly set?: {readonly name: string; readonly table: string; readonly elem?: ReadonlyArray<{readonly concat: readonly unknown[]}>}}>};

/** The owners of all sockets whose first packet was seen, in what `nft -n -j list ruleset` printed, as text or read. */
export function parseOwners(listing: NftListing | string): readonly SocketOwner[] {
	const {nftables} = (typeof listing === 'string' ? JSON.parse(listing) : listing) as Listed;
	const keysOf = (name: string): ReadonlyArray<readonly unknown[]> => nftables.find(({set}) => set?.table === traceTable && set.name === name)?.set?.elem?.map(({concat}) => concat) ?? [];
	return [
		...joinOwners(ownerSets.flatMap(({name, ...set}) => keysOf(name).map(key => ({...set, ...readKey(key)})))),
		...keysOf(formerOwners).map(key => readFormerKey(key)),
	];
}

function readKey(key: readonly unknown[]): Pick<OwnerRecord, 'from' | 'to' | 'number'> {
	const [source, sourcePort, destination, destinationPort, number] = key;
	if (typeof source !== 'string' || typeof destination !== 'string' || typeof sourcePort !== 'number' || typeof destinationPort !== 'number' || typeof number !== 'number') {
		throw unknownForm(key);
	}

	return {from: {address: source, port: sourcePort}, to: {address: destination, port: destinationPort}, number};
}

function readFormerKey(key: readonly unknown[]): SocketOwner {
	// Recordings from before UDP was supported have no protocol in their set.
	const [network, transport, from, to, uid, gid] = key.length === 5 ? [key[0], 'tcp', ...key.slice(1)] : key;
	const [family, protocol] = [families[String(network)], protocols[String(transport)]];
	if (family === undefined || protocol === undefined || typeof from !== 'number' || typeof to !== 'number' || typeof uid !== 'number' || typeof gid !== 'number') {
		throw unknownForm(key);
	}

	return {
		family, protocol, from: {port: from}, to: {port: to}, uid, gid,
	};
}

function unknownForm(key: readonly unknown[]): TestbedError {
	return new TestbedError('COMMAND_FAILED', {message: `\`nft -n -j list set\` printed an element in an unknown form: ${JSON.stringify(key)}`});
}
