/**
The table that switches tracing on, and that notes who owns the socket of each packet. It stands before everything else (priority -350, raw is at -300) and is the testbed's own: `meta nftrace` sets the same bit of the packet that the TRACE target sets, for every back end.
*/

import type {SocketOwner} from '../../src/trace/legs.js';
import {invalidChains} from '../../src/trace/packets.js';
import {TestbedError} from '../errors.js';
import {traceTable} from '../sandbox/own-table.js';

const set = 'owners';

// First packets only: a connection's SYN, and whatever is not TCP, for that can be a first packet as well and counts in nat.
const firstPackets = ['tcp flags & (fin|syn|rst|ack) == syn', 'meta l4proto != tcp'];
const traceOn = firstPackets.map(match => `${match} meta nftrace set 1`).join('\n');
// What a kernel says by itself when its interfaces join multicast groups (RFC 3810), at some moment in the first second: nobody's traffic, but a rule that asks for nothing would count it, before or after its counter is read.
const ownChatter = 'icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } drop';
/** What the actors send to be invalid, and nobody else: TCP with these flags. */
export const invalidPackets = 'tcp flags & (fin|syn|rst|ack) == (fin|syn|ack)';

const owner = 'meta nfproto . meta l4proto . th sport . th dport . meta skuid . meta skgid';

/** Two chains that note, right behind conntrack (priority -200), which traced packets it calls invalid. */
export const invalidCheck = ([['prerouting', invalidChains.received], ['output', invalidChains.sent]] as const).map(([hook, name]) => `
	chain ${name} {
		type filter hook ${hook} priority -199; policy accept;
		ct state invalid counter
	}`).join('\n');

/**
The table as `nft -f` takes it. A table that an earlier round left is replaced.

Where somebody sends invalid packets (`hasInvalid`) it lets these in as well, and notes right behind conntrack (priority -200) that they are. That turns conntrack on in the namespace, so it is not there otherwise.
*/
export const traceTableText = ({hasInvalid}: {readonly hasInvalid: boolean}): string => `
table inet ${traceTable} {}
delete table inet ${traceTable}
table inet ${traceTable} {
	set ${set} {
		typeof meta nfproto . meta l4proto . th sport . th dport . meta skuid . meta skgid
		flags dynamic
		size 65535
	}
	chain prerouting {
		type filter hook prerouting priority -350; policy accept;
		${ownChatter}
		${traceOn}
		${hasInvalid ? `${invalidPackets} meta nftrace set 1` : ''}
	}
	chain output {
		type filter hook output priority -350; policy accept;
		${ownChatter}
		${firstPackets[0]} add @${set} { ${owner} }
		meta l4proto udp add @${set} { ${owner} }
		${traceOn}
		${hasInvalid ? `${invalidPackets} add @${set} { ${owner} } meta nftrace set 1` : ''}
	}
	${hasInvalid ? invalidCheck : ''}
}
`;

const protocols: Readonly<Record<string, 'tcp' | 'udp'>> = {tcp: 'tcp', udp: 'udp', 6: 'tcp', 17: 'udp'};

const families: Readonly<Record<string, 'ipv4' | 'ipv6'>> = {ipv4: 'ipv4', ipv6: 'ipv6', 2: 'ipv4', 10: 'ipv6'};

/** Reads the owners of all sockets whose first packet was seen, from `nft -n -j list ruleset`. */
export function parseOwners(text: string): readonly SocketOwner[] {
	const {nftables} = JSON.parse(text) as {nftables: ReadonlyArray<{set?: {name: string; table: string; elem?: ReadonlyArray<{concat: readonly unknown[]}>}}>};
	const own = nftables.find(entry => entry.set?.table === traceTable && entry.set.name === set)?.set;
	return (own?.elem ?? []).map(({concat}) => {
		// Recordings from before there was UDP have no protocol in their set.
		const [network, transport, sourcePort, destinationPort, uid, gid] = concat.length === 5 ? [concat[0], 'tcp', ...concat.slice(1)] : concat;
		const family = families[String(network)];
		const protocol = protocols[String(transport)];
		if (family === undefined || protocol === undefined || [sourcePort, destinationPort, uid, gid].some(value => typeof value !== 'number')) {
			throw new TestbedError('COMMAND_FAILED', {message: `\`nft -n -j list set\` printed an element that is not understood: ${JSON.stringify(concat)}`});
		}

		return {
			family, protocol, sourcePort: sourcePort as number, destinationPort: destinationPort as number, uid: uid as number, gid: gid as number,
		};
	});
}
