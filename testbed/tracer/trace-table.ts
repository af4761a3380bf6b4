/**
The table that turns tracing on and records the owner of each packet's socket. It comes before everything else (priority -350; raw is at -300) and belongs to the testbed: `meta nftrace` sets the same bit in the packet as the TRACE target, for every back end.
*/

import type {NftListing} from '../../src/trace/loaded-rules.js';
import type {SocketOwner} from '../../src/trace/sockets.js';
import {invalidChains} from '../../src/trace/packets.js';
import {TestbedError} from '../errors.js';
import {beginTable, traceTable} from '../sandbox/own-table.js';

/** The set of owners of packets. */
export const packetOwners = 'owners';

// First packets only: the SYN of a connection, and everything that is not TCP, which may be a first packet as well and counts in nat.
const firstPackets = ['tcp flags & (fin|syn|rst|ack) == syn', 'meta l4proto != tcp'];
const traceOn = firstPackets.map(match => `${match} meta nftrace set 1`).join('\n');
// The kernel's own messages when interfaces join multicast groups (RFC 3810), at some time in the first second. They belong to no test, but a rule without matches would count them, before or after its counter is read.
const ownChatter = 'icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } drop';
/** Matches the answers to a SYN: a listener's SYN with ACK, or a reset. */
export const answerMatches = ['tcp flags & (syn|ack) == (syn|ack)', 'tcp flags & rst == rst'];
const answers = answerMatches.map(match => `${match} meta nftrace set 1`).join('\n');
/** Matches the invalid packets that actors send: TCP with flags that nothing else sends. */
export const invalidPackets = 'tcp flags & (fin|syn|rst|ack) == (fin|syn|ack)';

const owner = 'meta nfproto . meta l4proto . th sport . th dport . meta skuid . meta skgid';

/** Two chains right after conntrack (priority -200) that show which traced packets it classifies as invalid. */
export const invalidCheck = ([['prerouting', invalidChains.received], ['output', invalidChains.sent]] as const).map(([hook, name]) => `
	chain ${name} {
		type filter hook ${hook} priority -199; policy accept;
		ct state invalid counter
	}`).join('\n');

/** What is traced besides first packets of connections. */
export type TraceChoice = {readonly hasInvalid: boolean; readonly hasAnswers?: boolean};

/**
The table as input for `nft -f`. It replaces the table of an earlier round, unless it is the first one.

With `hasInvalid` it also traces invalid packets, and shows right after conntrack (priority -200) that they are invalid. This turns conntrack on in the namespace, so it is off by default.

With `hasAnswers` it also traces the answers to first TCP packets, for connections whose end is unknown: a rule may drop the answers.
*/
export const traceTableText = ({hasInvalid, hasAnswers = false, isFirst = false}: TraceChoice & {readonly isFirst?: boolean}): string => `
${beginTable(isFirst)}table inet ${traceTable} {
	set ${packetOwners} {
		typeof meta nfproto . meta l4proto . th sport . th dport . meta skuid . meta skgid
		flags dynamic
		size 65535
	}
	chain prerouting {
		type filter hook prerouting priority -350; policy accept;
		${ownChatter}
		${traceOn}
		${hasAnswers ? answers : ''}
		${hasInvalid ? `${invalidPackets} meta nftrace set 1` : ''}
	}
	chain output {
		type filter hook output priority -350; policy accept;
		${ownChatter}
		${firstPackets[0]} add @${packetOwners} { ${owner} }
		meta l4proto udp add @${packetOwners} { ${owner} }
		${traceOn}
		${hasAnswers ? answers : ''}
		${hasInvalid ? `${invalidPackets} add @${packetOwners} { ${owner} } meta nftrace set 1` : ''}
	}
	${hasInvalid ? invalidCheck : ''}
}
`;

const protocols: Readonly<Record<string, 'tcp' | 'udp'>> = {tcp: 'tcp', udp: 'udp', 6: 'tcp', 17: 'udp'};

const families: Readonly<Record<string, 'ipv4' | 'ipv6'>> = {ipv4: 'ipv4', ipv6: 'ipv6', 2: 'ipv4', 10: 'ipv6'};

/** The owners of all sockets whose first packet was seen, in what `nft -n -j list ruleset` printed, as text or read. */
export function parseOwners(listing: NftListing | string): readonly SocketOwner[] {
	const {nftables} = (typeof listing === 'string' ? JSON.parse(listing) : listing) as {nftables: ReadonlyArray<{set?: {name: string; table: string; elem?: ReadonlyArray<{concat: readonly unknown[]}>}}>};
	const own = nftables.find(entry => entry.set?.table === traceTable && entry.set.name === packetOwners)?.set;
	return (own?.elem ?? []).map(({concat}) => {
		// Recordings from before UDP was supported have no protocol in their set.
		const [network, transport, sourcePort, destinationPort, uid, gid] = concat.length === 5 ? [concat[0], 'tcp', ...concat.slice(1)] : concat;
		const family = families[String(network)];
		const protocol = protocols[String(transport)];
		if (family === undefined || protocol === undefined || [sourcePort, destinationPort, uid, gid].some(value => typeof value !== 'number')) {
			throw new TestbedError('COMMAND_FAILED', {message: `\`nft -n -j list set\` printed an element in an unknown form: ${JSON.stringify(concat)}`});
		}

		return {
			family, protocol, sourcePort: sourcePort as number, destinationPort: destinationPort as number, uid: uid as number, gid: gid as number,
		};
	});
}
