/**
The table that turns tracing on for probes and counts them. Like the tracer's own (tracer/trace-table.ts), but for many packets: it traces first packets of TCP and UDP only, with one message per chain; it shows each packet once more after it has passed everything else, by one message of a rule instead of two about the end of its chain; and it counts packets per socket owner instead of keeping an element for each packet.
*/

import {answerMatches, invalidPackets, invalidCheck} from '../tracer/trace-table.js';
import {beginTable, traceTable} from '../sandbox/own-table.js';

/** The set of owners: how many of the pod's packets came from sockets of each UID and GID. It cross-checks the credentials of a batch. */
export const ownersSet = 'owners-counted';
/** The capacity of the set. It is emptied before a batch that might exceed it: each probe of a batch may have a different owner. */
export const ownersMax = 65_535;

const matches = ['tcp flags & (fin|syn|rst|ack) == syn', 'meta l4proto udp'];
const traceOn = matches.map(match => `${match} meta nftrace set 1 accept`).join('\n');

/** The rules that reject a first packet after everything else, by protocol. Without them a listening socket would accept connections and queue datagrams. */
const turnAway = {tcp: 'tcp flags & (fin|syn|rst|ack) == syn reject with tcp reset', udp: 'meta l4proto udp reject'} as const;

/**
The table as input for `nft -f`. It has the name of the tracer's table, which the rest of the testbed knows as its own, and replaces an earlier one, unless it is the first. `listening` are the protocols that sockets listen for: in the last chain they pass, their first packets are rejected as if nothing listened.
*/
export function proberTableText(listening: ReadonlyArray<'tcp' | 'udp'> = [], isFirst = false): string {
	return `
${beginTable(isFirst)}table inet ${traceTable} {
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
${listening.map(protocol => `		${turnAway[protocol]}\n`).join('')}		accept
	}
	chain sent {
		type filter hook postrouting priority 350; policy accept;
		accept
	}
}
`;
}

/** Additional input for `nft -f` if invalid packets may be sent: traces them, and records what conntrack says about them. This turns conntrack on in the namespace. */
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

/** Additional input for `nft -f` that also traces the answers to first packets of TCP: see `answerMatches`. */
export const answersText = `
table inet ${traceTable} {
${([['prerouting', 'answers-received'], ['output', 'answers-sent']] as const).map(([hook, name]) => `
	chain ${name} {
		type filter hook ${hook} priority -351; policy accept;
		${answerMatches.map(match => `${match} meta nftrace set 1 accept`).join('\n')}
	}`).join('')}
}
`;

/** Input for `nft -f` that ends that. */
export const noAnswersText = ['answers-received', 'answers-sent'].map(name => `flush chain inet ${traceTable} ${name}\ndelete chain inet ${traceTable} ${name}\n`).join('');

/** Input for `nft -f` that deletes the table. */
export const removeTableText = `delete table inet ${traceTable}\n`;
