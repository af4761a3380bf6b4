/**
The table that switches tracing on for probes, and what it counts. Like the tracer's own (tracer/trace-table.ts), but made for many: it traces first packets of TCP and UDP only, in one message per chain; it shows a packet once more when it has passed everything else; and it counts packets by the owner of their socket instead of keeping a line for each.
*/

import {TestbedError} from '../errors.js';
import {invalidPackets, invalidCheck} from '../tracer/trace-table.js';
import {traceTable} from '../sandbox/own-table.js';

/** The set of owners: how many of the pod's packets left sockets of each UID and GID. A second witness for the credentials of a batch. */
const ownersSet = 'owners-counted';
/** Elements that the set can hold, and after how many it is emptied: each probe of a batch may have an owner of its own. */
export const ownersMax = 65_535;

const matches = ['tcp flags & (fin|syn|rst|ack) == syn', 'meta l4proto udp'];
const traceOn = matches.map(match => `${match} meta nftrace set 1 accept`).join('\n');

/** What turns a first packet away behind everything else, by its protocol: where a socket listens, connections would be made, and datagrams piled up. */
const turnAway = {tcp: 'tcp flags & (fin|syn|rst|ack) == syn reject with tcp reset', udp: 'meta l4proto udp reject'} as const;

/**
The table as `nft -f` takes it. It takes the place of the tracer's, whose name it has: everything else knows that name as the testbed's own. `listening` are the protocols that sockets wait for: their first packets are answered as if nobody did, in the last place that they pass.
*/
export function proberTableText(listening: ReadonlyArray<'tcp' | 'udp'> = []): string {
	return `
table inet ${traceTable} {}
delete table inet ${traceTable}
table inet ${traceTable} {
	set ${ownersSet} {
		typeof meta skuid . meta skgid
		flags dynamic
		size ${ownersMax}
	}
	chain prerouting {
		type filter hook prerouting priority -350; policy accept;
		${traceOn}
	}
	chain output {
		type filter hook output priority -350; policy accept;
		${matches.map(match => `${match} add @${ownersSet} { meta skuid . meta skgid counter }`).join('\n')}
		${traceOn}
	}
	chain arrived {
		type filter hook input priority 350; policy accept;
${listening.map(protocol => `		${turnAway[protocol]}\n`).join('')}	}
	chain sent {
		type filter hook postrouting priority 350; policy accept;
	}
}
`;
}

/** What `nft -f` takes after it where invalid packets are to be sent as well: lets them in, and notes what conntrack says of them. That turns conntrack on in the namespace. */
export const invalidTableText = `
table inet ${traceTable} {
	chain prerouting {
		${invalidPackets} meta nftrace set 1 accept
	}
	chain output {
		${invalidPackets} add @${ownersSet} { meta skuid . meta skgid counter }
		${invalidPackets} meta nftrace set 1 accept
	}
	${invalidCheck}
}
`;

/** What `nft -f` takes to forget the owners so far. */
export const forgetOwnersText = `flush set inet ${traceTable} ${ownersSet}\n`;

/** What `nft -f` takes to take the table away. */
export const removeTableText = `delete table inet ${traceTable}\n`;

/** How many packets each owner sent, by `uid:gid`, from `nft -n -j list ruleset`. */
export function parseOwnerCounts(text: string): ReadonlyMap<string, number> {
	const {nftables} = JSON.parse(text) as {nftables: ReadonlyArray<{set?: {name: string; table: string; elem?: readonly unknown[]}}>};
	const own = nftables.find(entry => entry.set?.table === traceTable && entry.set.name === ownersSet)?.set;
	return new Map((own?.elem ?? []).map(element => {
		const {val, counter} = (element as {elem?: {val?: {concat?: readonly unknown[]}; counter?: {packets?: unknown}}}).elem ?? {};
		const [uid, gid] = val?.concat ?? [];
		if (typeof uid !== 'number' || typeof gid !== 'number' || typeof counter?.packets !== 'number') {
			throw new TestbedError('COMMAND_FAILED', {message: `\`nft -n -j list ruleset\` printed an owner that is not understood: ${JSON.stringify(element)}`});
		}

		return [`${uid}:${gid}`, counter.packets] as const;
	}));
}
