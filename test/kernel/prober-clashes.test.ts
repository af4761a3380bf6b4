/** Probes of one batch whose connections would have the same tuple once NAT has changed them: each is judged as if it had been sent alone. */

import test from 'ava';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import type {Backend} from '../../src/netfilter/types.js';
import {gapsIn, pathOf, request, withProber} from './_prober.js';

/** What DNS capture does to a query over lo, and a rule behind it that looks at the source port. */
const rules = `*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p udp -m udp --sport 53
COMMIT
*nat
:OUTPUT ACCEPT [0:0]
-A OUTPUT -p udp -m udp --dport 53 -j REDIRECT --to-ports 15053
COMMIT
`;
const zonedRules = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -m udp --sport 53 -j CT --zone 1
-A OUTPUT -p udp -m udp --dport 53 -j CT --zone 2
COMMIT
${rules}`;

const query = (id: string, sourcePort: number, address: string, other: Partial<ProbeRequest> = {}): ProbeRequest => request(id, {
	protocol: 'udp', source: '127.0.0.1', sourcePort, to: {address, port: 53}, ...other,
});

/** All of them from 127.0.0.1: those from port 53 have the same tuple after NAT, and those from 15053 have that tuple before it. */
const probes: readonly ProbeRequest[] = [
	query('from the capture port', 15_053, '127.0.0.1'),
	query('from port 53', 53, '127.0.0.1'),
	query('from port 53 to another address', 53, '127.0.0.2'),
	query('from port 53 to a third address', 53, '127.0.0.3'),
	query('from the capture port to another address', 15_053, '127.0.0.2'),
	query('from no port of its own', 0, '127.0.0.1'),
];
const behindNat = 'mangle:PREROUTING#1';

for (const [name, text, backend] of [
	['iptables-nft', rules, 'iptables-nft'], ['iptables-legacy', rules, 'iptables-legacy'], ['iptables-nft, in zones', zonedRules, 'iptables-nft'],
] as const satisfies ReadonlyArray<readonly [string, string, Backend]>) {
	test(`probes that take each other's tuple have the paths that they have alone (${name})`, async t => {
		await withProber({backend, rules: text}, async prober => {
			const alone: string[] = [];
			for (const probe of probes) {
				const [answer] = await prober.probe([probe]); // eslint-disable-line no-await-in-loop -- One alone.
				t.deepEqual(gapsIn([answer!]), []);
				alone.push(pathOf(answer!));
			}

			// The rule behind NAT sees those, and only those, that kept their port.
			t.deepEqual(alone.map(path => path.includes(behindNat)), [false, true, true, true, false, false]);
			for (const order of [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [1, 0, 2, 4, 3, 5]]) {
				const answers = await prober.probe(order.map(place => probes[place]!)); // eslint-disable-line no-await-in-loop -- One batch after the other.
				t.deepEqual(gapsIn(answers), []);
				t.deepEqual(answers.map(answer => pathOf(answer)), order.map(place => alone[place]!));
			}
		});
	});
}

/** TCP is told apart by its number, IPv4 by its identification; a datagram of IPv6 has a flow label. With legacy, two sockets show it, and one may be read further than the other. */
for (const backend of ['iptables-nft', 'iptables-legacy', 'nftables'] as const) {
	test(`${backend}: datagrams from one port to many destinations are told apart, by owners and rules`, async t => {
		const families = ['ipv4', 'ipv6'] as const;
		const ends = {ipv4: {source: '10.244.1.10', to: '10.244.1.20'}, ipv6: {source: '2001:db8:1::10', to: '2001:db8:1::20'}} as const;
		const many = families.flatMap(family => Array.from({length: 300}, (_, index) => {
			const uid = index % 2 === 0 ? 1337 : 1000 + index;
			return request(`${family} ${index}`, {
				protocol: 'udp', uid, gid: uid, source: ends[family].source, sourcePort: 5000, to: {address: ends[family].to, port: 20_000 + index},
			});
		}));
		await withProber({backend, families}, async prober => {
			const answers = await prober.probe(many);
			t.deepEqual(gapsIn(answers), []);
			for (const [place, {id, leg}] of answers.entries()) {
				t.deepEqual(leg?.socket, {uid: many[place]!.uid, gid: many[place]!.gid}, id);
			}

			const paths = answers.map(answer => pathOf(answer));
			for (const family of families) {
				const own = paths.filter((_, place) => many[place]!.id.startsWith(family));
				t.is(new Set(own.filter((_, index) => index % 2 === 0)).size, 1, family);
				t.is(new Set(own.filter((_, index) => index % 2 !== 0)).size, 1, family);
				t.not(own[0], own[1]);
			}
		});
	});
}

test('a packet that passes for the answer to another one, where no chain of nat would have met it, is judged as if it had been sent alone', async t => {
	const translating = `table inet filter {
	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
		meta l4proto tcp ct state new counter
		meta l4proto tcp counter
	}
}
table inet nat {
	chain output {
		type nat hook output priority dstnat; policy accept;
		tcp dport 53 counter dnat ip to 192.0.2.9:5353
	}
}
`;
	// Nobody answers there: after a reset, conntrack forgets the connection.
	const [pod, nobody] = ['10.244.1.10', '192.0.2.9'];
	const question = request('question', {
		source: pod, sourcePort: 4000, to: {address: '10.244.1.21', port: 53},
	});
	const likeAnswer = request('like its answer', {
		from: 'remote', source: nobody, sourcePort: 5353, to: {address: pod, port: 4000},
	});
	await withProber({backend: 'nftables', rules: translating}, async prober => {
		const answers = await prober.probe([question, likeAnswer]);
		t.deepEqual(gapsIn(answers), []);
		t.true(pathOf(answers[1]!).includes('filter:prerouting#1'), pathOf(answers[1]!));
	});
});
