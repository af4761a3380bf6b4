/** The result of one probe: its leg, and each reason why it may not be trusted. */

import test from 'ava';
import {findRule} from '../../../../src/netfilter/lookup.js';
import {printEndpoint, printLegEnd, type Traversal} from '../../../../src/netfilter/path.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {firstLeg, type Arrival, type SentProbe} from '../../../../src/trace/fast/first-leg.js';
import type {TracedPacket} from '../../../../src/trace/packets.js';

const ruleSet = parseSave('*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n', 'ipv4');
const from = {address: '10.0.0.1', port: 40_000};
const to = {address: '10.0.0.2', port: 80};
const owner = {uid: 1000, gid: 1000};
const sent: SentProbe = {
	actor: 'app', family: 'ipv4', protocol: 'tcp', from, to, asked: owner, made: owner, isLocal: true, hearsAnswer: true, end: {kind: 'refused'},
};

function traversal(hook: 'output' | 'postrouting', other: Partial<Traversal> = {}): Traversal {
	return {
		hook, family: 'ip', table: 'nat', chain: hook.toUpperCase(), hits: [], end: {by: 'policy', verdict: 'accept'}, inInterface: undefined, outInterface: 'eth0', source: from, destination: to, ...other,
	};
}

const packet: TracedPacket = {
	header: {
		family: 'ipv4', protocol: 6, source: from, destination: to, sequence: 1, identification: 1, tcpFlags: 2,
	},
	traversals: [traversal('output'), traversal('postrouting')],
	seen: true,
	entry: 'output',
	owner: undefined,
};
const arrival: Arrival = {hook: 'postrouting', destination: {address: '10.0.0.2', port: 81}};
const dropped = {...packet, traversals: [traversal('output', {end: {by: 'policy', verdict: 'drop'}})]};

type Case = {
	readonly title: string; readonly probe?: Partial<SentProbe>; readonly attempts?: readonly TracedPacket[]; readonly arrival?: Arrival | undefined;
	readonly end: string; readonly deliveredTo?: boolean; readonly gaps: readonly string[];
};

const cases: readonly Case[] = [
	{title: 'refused: delivered where the last chain saw it', end: 'refused', deliveredTo: true, gaps: []},
	{title: 'accepted', probe: {end: {kind: 'connected'}}, end: 'accepted', deliveredTo: true, gaps: []},
	{title: 'unreachable', probe: {end: {kind: 'unreachable', reason: 'EHOSTUNREACH'}}, end: 'unreachable', gaps: []},
	{title: 'dropped', probe: {end: {kind: 'quiet'}}, attempts: [dropped], arrival: undefined, end: 'dropped', gaps: []},
	{title: 'a datagram that somebody took', probe: {protocol: 'udp', end: {kind: 'quiet'}}, end: 'unknown', deliveredTo: true, gaps: []},
	{title: 'a datagram that went nowhere', probe: {protocol: 'udp', end: {kind: 'quiet'}}, arrival: undefined, end: 'unknown', gaps: ['no-end: Nobody accepted, refused or dropped app 10.0.0.1:40000 → 10.0.0.2:80: no answer came in time.']},
	{title: 'an answer that goes elsewhere', probe: {hearsAnswer: false, end: {kind: 'quiet'}}, end: 'unknown', deliveredTo: true, gaps: []},
	{title: 'no answer', probe: {end: {kind: 'quiet'}}, end: 'unknown', gaps: ['no-end: Nobody accepted, refused or dropped app 10.0.0.1:40000 → 10.0.0.2:80: no answer came in time.']},
	{title: 'not in the trace', attempts: [], arrival: undefined, end: 'refused', gaps: ['not-traced: The first packet of app 10.0.0.1:40000 → 10.0.0.2:80 does not appear in the trace.', 'not-traced: The first packet of app 10.0.0.1:40000 → 10.0.0.2:80 arrived, but the trace does not show where.']},
	{title: 'no last chain', arrival: undefined, end: 'refused', gaps: ['not-traced: The first packet of app 10.0.0.1:40000 → 10.0.0.2:80 arrived, but the trace does not show where.']},
	{title: 'a chain is missing', attempts: [{...packet, traversals: [traversal('output')]}], end: 'refused', deliveredTo: true, gaps: ['not-traced: The first packet of app 10.0.0.1:40000 → 10.0.0.2:80 arrived, but the trace does not show it in nat POSTROUTING.']},
	{title: 'an invalid packet that was refused', probe: {packet: 'invalid'}, attempts: [{...packet, isInvalid: true, traversals: []}], end: 'refused', deliveredTo: true, gaps: []},
	{title: 'an invalid packet without an answer', probe: {packet: 'invalid', end: {kind: 'quiet'}}, attempts: [{...packet, isInvalid: true, traversals: []}], end: 'unknown', deliveredTo: true, gaps: []},
	{title: 'an invalid packet that went nowhere', probe: {packet: 'invalid', end: {kind: 'quiet'}}, attempts: [{...packet, isInvalid: true, traversals: []}], arrival: undefined, end: 'unknown', gaps: ['no-end: Nobody accepted, refused or dropped app 10.0.0.1:40000 → 10.0.0.2:80: no answer came in time.']},
	{title: 'a packet that was to be invalid and is not', probe: {packet: 'invalid'}, end: 'refused', deliveredTo: true, gaps: ['unwitnessed: The packet of app 10.0.0.1:40000 → 10.0.0.2:80 was sent as one that conntrack should consider invalid, but the trace does not show that it did.']},
	{title: 'made by another than asked', probe: {made: {uid: 1, gid: 2}}, end: 'refused', deliveredTo: true, gaps: ['credentials: The socket of app 10.0.0.1:40000 → 10.0.0.2:80 was created as 1:2, not as 1000:1000.']},
	{title: 'logged as another', attempts: [{...packet, owner: {uid: 7, gid: 1000}}], end: 'refused', deliveredTo: true, gaps: ['credentials: For app 10.0.0.1:40000 → 10.0.0.2:80 the socket says 1000:1000 and NFLOG 7:1000.']},
];

for (const {title, probe, attempts = [packet], end, deliveredTo = false, gaps, ...rest} of cases) {
	test(title, t => {
		const {leg, gaps: found} = firstLeg({
			listening: [],
			probe: {...sent, ...probe}, attempts, arrival: 'arrival' in rest ? rest.arrival : arrival, ruleSet,
		});
		t.is(leg.end.kind, end as typeof leg.end.kind);
		t.deepEqual(leg.deliveredTo, deliveredTo ? arrival.destination : undefined);
		t.deepEqual(found.map(({kind, message}) => `${kind}: ${message}`), gaps);
	});
}

test('rules cannot match the socket of a probe into the pod', t => {
	const {leg} = firstLeg({
		listening: [],
		probe: {...sent, isLocal: false}, attempts: [packet], arrival, ruleSet,
	});
	t.is(leg.socket, undefined);
});

const tproxied = parseSave(['*mangle', ':PREROUTING ACCEPT [0:0]', ...['15006 --on-ip 0.0.0.0', '15006 --on-ip 10.0.0.9', '0 --on-ip 0.0.0.0'].map(socket => `-A PREROUTING -p tcp -j TPROXY --on-port ${socket} --tproxy-mark 0x539/0xffffffff`), 'COMMIT', ''].join('\n'), 'ipv4');

/** A packet from outside that met one of these rules, and the result. */
type Given = {
	readonly title: string; readonly number: number; readonly isArrived?: boolean; readonly listening?: readonly number[]; readonly end: string; readonly to?: string; readonly gaps: readonly RegExp[];
};
const given: readonly Given[] = [
	{title: 'the socket of the rule gets it', number: 1, isArrived: true, listening: [15_006], end: 'refused', to: '10.0.0.2:15006', gaps: []},
	{title: 'port 0 is its own', number: 3, isArrived: true, listening: [80], end: 'refused', to: '10.0.0.2:80', gaps: []},
	{title: 'nobody listens', number: 1, listening: [15_001], end: 'dropped', gaps: []},
	{title: 'somebody listens, and it came nowhere', number: 1, listening: [15_006], end: 'unknown', gaps: [/^no-end/u]},
	{title: 'a socket of another address', number: 2, isArrived: true, listening: [15_006], end: 'refused', to: '10.0.0.2:80', gaps: [/^not-understood: The rule `.* --on-ip 10.0.0.9 .*` assigned .* to a socket, but it is not understood to which/u]},
];

for (const {title, number, isArrived = false, listening = [], end, to, gaps} of given) {
	test(`TPROXY: ${title}`, t => {
		const {text} = findRule(tproxied, {
			family: 'ip', table: 'mangle', chain: 'PREROUTING', number,
		})!;
		const hit = {
			family: 'ip', table: 'mangle', chain: 'PREROUTING', number, handle: undefined, text, verdict: undefined,
		} as const;
		const met: Traversal = {
			...traversal('output'), hook: 'prerouting', table: 'mangle', chain: 'PREROUTING', hits: [hit], end: {by: 'rule', verdict: 'accept'},
		};
		const behind: Traversal = {...traversal('output'), hook: 'input', table: 'mangle', chain: 'INPUT'};
		const {leg, gaps: found} = firstLeg({
			probe: {...sent, isLocal: false, end: {kind: isArrived ? 'refused' : 'quiet'}},
			attempts: [{...packet, entry: 'prerouting', traversals: isArrived ? [met, behind] : [met]}],
			arrival: isArrived ? {hook: 'input', destination: {address: '10.0.0.2', port: 80}} : undefined,
			ruleSet: tproxied,
			listening: listening.map(port => ({protocol: 'tcp', port})),
		});
		t.is(leg.end.kind, end as typeof leg.end.kind);
		t.is(leg.deliveredTo === undefined ? undefined : printEndpoint(leg.deliveredTo), to);
		t.is(found.length, gaps.length, JSON.stringify(found));
		for (const [index, {kind, message}] of found.entries()) {
			t.regex(`${kind}: ${message}`, gaps[index]!);
		}
	});
}

/** A connection of the pod that a rule sends elsewhere, and to which nothing comes back. */
type LostCase = {
	readonly title: string;
	readonly probe?: Partial<SentProbe>;
	readonly rule: string;
	readonly arrival: Arrival | undefined;
	readonly outInterface?: string;
	readonly end: string;
	readonly gaps?: readonly RegExp[];
};
const redirected = {address: '127.0.0.1', port: 15_001};
const nobody = {address: '172.17.0.2', port: 8080};
const noEnd = [/^no-end/u];
const lostCases: readonly LostCase[] = [
	{title: 'bound to a device and redirected', probe: {device: 'eth0'}, rule: 'REDIRECT --to-ports 15001', arrival: {hook: 'postrouting', destination: redirected}, end: 'lost (127.0.0.1:15001)'},
	{title: 'bound to a device, over UDP', probe: {device: 'eth0', protocol: 'udp'}, rule: 'REDIRECT --to-ports 15001', arrival: {hook: 'postrouting', destination: redirected}, end: 'lost (127.0.0.1:15001)'},
	{title: 'bound to lo', probe: {device: 'lo'}, rule: 'REDIRECT --to-ports 15001', arrival: {hook: 'postrouting', destination: redirected}, outInterface: 'lo', end: 'unknown', gaps: noEnd},
	{title: 'bound to nothing', rule: 'REDIRECT --to-ports 15001', arrival: {hook: 'postrouting', destination: redirected}, end: 'unknown', gaps: noEnd},
	{title: 'bound to a device, and it came back in', probe: {device: 'eth0'}, rule: 'REDIRECT --to-ports 15001', arrival: {hook: 'input', destination: redirected}, end: 'unknown', gaps: noEnd},
	{title: 'sent to an address that nobody has', rule: 'DNAT --to-destination 172.17.0.2:8080', arrival: {hook: 'postrouting', destination: nobody}, end: 'nowhere (172.17.0.2:8080)'},
	{title: 'the same, and the network says so', probe: {end: {kind: 'unreachable', reason: 'EHOSTUNREACH'}}, rule: 'DNAT --to-destination 172.17.0.2:8080', arrival: {hook: 'postrouting', destination: nobody}, end: 'nowhere (172.17.0.2:8080)'},
	{title: 'sent to an address that somebody has', rule: 'DNAT --to-destination 10.0.0.3:8080', arrival: {hook: 'postrouting', destination: {address: '10.0.0.3', port: 8080}}, end: 'unknown', gaps: noEnd},
	{title: 'the same, refused', probe: {end: {kind: 'refused'}}, rule: 'DNAT --to-destination 172.17.0.2:8080', arrival: {hook: 'postrouting', destination: nobody}, end: 'refused'},
];

for (const {title, probe, rule, arrival: arrived, outInterface = 'eth0', end, gaps = []} of lostCases) {
	test(`lost: ${title}`, t => {
		const rules = parseSave(`*nat\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A OUTPUT -p tcp -j ${rule}\nCOMMIT\n`, 'ipv4');
		const hit = {
			family: 'ip', table: 'nat', chain: 'OUTPUT', number: 1, handle: undefined, text: rule, verdict: 'accept',
		} as const;
		const {leg, gaps: found} = firstLeg({
			listening: [],
			probe: {...sent, end: {kind: 'quiet'}, ...probe},
			attempts: [{...packet, traversals: [traversal('output', {hits: [hit], end: {by: 'rule', verdict: 'accept'}}), traversal('postrouting', {outInterface})]}],
			arrival: arrived,
			ruleSet: rules,
			isSomewhere: address => address !== nobody.address,
		});
		t.is(printLegEnd(leg.end), end);
		t.is(found.length, gaps.length, JSON.stringify(found));
		for (const [index, {kind, message}] of found.entries()) {
			t.regex(`${kind}: ${message}`, gaps[index]!);
		}

		t.is(leg.deliveredTo === undefined, end !== 'refused');
	});
}

for (const {title, rule, arrival: arrived, entry = 'prerouting', end} of [
	{title: 'another host\'s', rule: 'DNAT --to-destination 10.0.0.3:8080', arrival: undefined, end: 'nowhere (10.0.0.3:8080)'},
	{title: 'a loopback one', rule: 'DNAT --to-destination 127.0.0.1:8080', arrival: undefined, end: 'nowhere (127.0.0.1:8080)'},
	{title: 'another host\'s, and it was forwarded', rule: 'DNAT --to-destination 10.0.0.3:8080', arrival: {hook: 'postrouting', destination: {address: '10.0.0.3', port: 8080}}, end: 'unknown'},
	{title: 'that of a packet over lo', rule: 'DNAT --to-destination 10.0.0.3:8080', arrival: undefined, entry: 'lo', end: 'unknown'},
] as const) {
	test(`lost: an inbound packet gets a new destination, ${title}`, t => {
		const ruleSet = parseSave(`*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j ${rule}\nCOMMIT\n`, 'ipv4');
		const hit = {
			family: 'ip', table: 'nat', chain: 'PREROUTING', number: 1, handle: undefined, text: rule, verdict: 'accept',
		} as const;
		const met: Traversal = {
			...traversal('output', {hits: [hit], end: {by: 'rule', verdict: 'accept'}}), hook: 'prerouting', chain: 'PREROUTING', inInterface: entry === 'lo' ? 'lo' : 'eth0',
		};
		const {leg} = firstLeg({
			listening: [], probe: {...sent, isLocal: false, end: {kind: 'quiet'}}, attempts: [{...packet, entry: 'prerouting', traversals: [met]}], arrival: arrived, ruleSet, isSomewhere: () => true,
		});
		t.is(printLegEnd(leg.end), end);
	});
}
