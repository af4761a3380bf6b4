import test from 'ava';
import {
	applyRule, enterChain, factsAt, freshPacket, socketMarkOf, type PacketState,
} from '../../../../src/judge/explain/packet-facts.js';
import {parseNftRule} from '../../../../src/netfilter/nftables/rule.js';
import {parseNft} from '../../../../src/netfilter/nftables/ruleset.js';
import type {Leg, Traversal} from '../../../../src/netfilter/path.js';
import {parseRuleText} from '../../../../src/netfilter/iptables/rule.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import type {Rule} from '../../../../src/netfilter/types.js';
import {intentOf, intentOfRuleSet} from '../../../../src/istio/intent.js';
import {newestRelease} from '../../../../src/istio/releases.js';
import {defaultOptions} from '../../../../src/istio/options/options.js';
import {parseAmbientInput} from '../../../../src/istio/ambient/options.js';
import {ambientRuleSet} from '../../../../src/istio/iptables/ambient.js';

function rule(text: string): Rule {
	return {chain: 'X', number: 1, ...(text.startsWith('-') ? parseRuleText(text, 'ipv4') : parseNftRule(text))};
}

/** The mark and the connection's mark behind the rules. */
function marksBehind(state: PacketState, ...texts: readonly string[]): string {
	let packet = state;
	for (const text of texts) {
		packet = applyRule(packet, rule(text));
	}

	const {mark, connmark} = packet;
	const print = (value: number | 'none' | undefined): string => typeof value === 'number' ? `0x${value.toString(16)}` : value ?? '?';
	return `${print(mark)} ${print(connmark)}`;
}

const tracked: PacketState = {...freshPacket(0), tracking: 'tracked', connmark: 0};

/** Rules one behind the other, and what is on the packet then. */
const sequences: ReadonlyArray<readonly [rules: readonly string[], marks: string, before?: PacketState]> = [
	[['-j MARK --set-xmark 0x539/0xffffffff'], '0x539 0x0'],
	[['-j MARK --set-xmark 0x539/0xfff'], '0xf539 0x0', {...tracked, mark: 0xF1_11}],
	[['-j MARK --or-mark 0x4'], '0x7 0x0', {...tracked, mark: 3}],
	[['-j MARK --and-mark 0x2'], '0x2 0x0', {...tracked, mark: 3}],
	[['-j MARK --xor-mark 0x1'], '0x2 0x0', {...tracked, mark: 3}],
	[['-j MARK --set-xmark 0xffffffff/0xffffffff'], '0xffffffff 0x0'],
	[['-j MARK --set-xmark 0x5/0xffffffff', '-j CONNMARK --save-mark', '-j MARK --set-xmark 0x0/0xffffffff'], '0x0 0x5'],
	[['-j CONNMARK --set-xmark 0x111/0xfff', '-j CONNMARK --restore-mark'], '0x111 0x111'],
	[['-j CONNMARK --restore-mark'], '0x7 none', freshPacket(7)],
	[['-j CONNMARK --save-mark'], '0x7 none', freshPacket(7)],
	[['-j CONNMARK --set-xmark 0x1/0xffffffff'], '0x7 none', freshPacket(7)],
	[['-p tcp -j TPROXY --on-port 15006 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff'], '0x539 0x0'],
	[['meta mark set 0x539'], '0x539 0x0'],
	[['meta mark set meta mark & 0xffffff0f | 0x10'], '0x15 0x0', {...tracked, mark: 5}],
	[['ct mark set 0x2', 'meta mark set ct mark'], '0x2 0x2'],
	[['ct mark set mark'], '0x0 0x0'],
	[['tcp dport 1 tproxy to :15006 meta mark set 0x539 accept'], '0x539 0x0'],
	// What is not understood makes a mark unknown, until one is set that does not depend on it.
	[['-j HMARK --hmark-tuple src --hmark-mod 3'], '? 0x0'],
	[['-j HMARK --hmark-tuple src --hmark-mod 3', '-j MARK --set-xmark 0x1/0xff'], '? 0x0'],
	[['-j HMARK --hmark-tuple src --hmark-mod 3', '-j MARK --set-xmark 0x1/0xffffffff'], '0x1 0x0'],
	[['-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff'], '? 0x0'],
	[['-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff'], '0x0 ?'],
	[['-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff', '-j CONNMARK --set-xmark 0x3/0xff'], '0x0 ?'],
	[['-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff', '-j CONNMARK --set-xmark 0x3/0xffffffff'], '0x0 0x3'],
	[['meta mark set numgen random mod 4'], '? 0x0'],
	[['ct mark set numgen random mod 4'], '0x0 ?'],
	[['meta mark set 0x1 ct mark set 0x2'], '? 0x2'],
	[['ct mark set 0x2 meta mark set 0x1'], '0x1 ?'],
	// All others leave marks alone.
	[['-j LOG', '-j RETURN', '-p tcp -j REDIRECT --to-ports 1', '-j X', 'counter', 'log', 'meta priority set 1:1', 'ct zone set 1'], '0x0 0x0'],
];

test('marks that rules set on a packet and its connection', t => {
	for (const [rules, marks, before = tracked] of sequences) {
		t.is(marksBehind(before, ...rules), marks, rules.join('; '));
	}
});

const iptables = parseSave('*raw\n:OUTPUT ACCEPT\n:PREROUTING ACCEPT\nCOMMIT\n*mangle\n:OUTPUT ACCEPT\n:INPUT ACCEPT\nCOMMIT\n*nat\n:POSTROUTING ACCEPT\nCOMMIT\n', 'ipv4');
const native = parseNft('table inet t {\n\tchain early {\n\t\ttype filter hook output priority -300; policy accept;\n\t}\n\tchain late {\n\t\ttype filter hook output priority -150; policy accept;\n\t}\n}\n');

const base: Traversal = {
	hook: 'output', family: 'ip', table: 'raw', chain: 'OUTPUT', hits: [], end: {by: 'policy', verdict: 'accept'}, inInterface: undefined, outInterface: 'eth0',
	source: {address: '10.0.0.1', port: 1}, destination: {address: '10.0.0.2', port: 2},
};
const leg: Leg = {
	actor: 'app', family: 'ipv4', protocol: 'tcp', from: base.source, to: base.destination, socket: {uid: 1, gid: 2}, traversals: [], end: {kind: 'refused'},
};

function statesIn(traversal: Partial<Traversal>, state = freshPacket(0), ruleSet = iptables): string {
	const whole = {...base, ...traversal};
	return factsAt(leg, whole, enterChain(state, whole, ruleSet)).states?.join(',') ?? '?';
}

test('a packet has no connection in raw, and a new one after conntrack', t => {
	t.is(statesIn({}), 'INVALID');
	t.is(statesIn({table: 'mangle'}), 'NEW');
	t.is(statesIn({table: 'nat', chain: 'POSTROUTING', hook: 'postrouting'}), 'NEW');
	t.is(statesIn({family: 'inet', table: 't', chain: 'early'}, undefined, native), 'INVALID');
	t.is(statesIn({family: 'inet', table: 't', chain: 'late'}, undefined, native), 'NEW');
	t.is(statesIn({table: 'mangle', chain: 'INPUT', hook: 'input'}), 'NEW');
});

test('over lo a packet keeps its connection, in raw too', t => {
	t.is(statesIn({chain: 'PREROUTING', hook: 'prerouting', inInterface: 'lo'}, tracked), 'NEW');
});

test('a translated connection is DNAT or SNAT as well', t => {
	t.is(statesIn({table: 'mangle', destination: {address: '127.0.0.1', port: 15_001}}), 'NEW,DNAT');
	t.is(statesIn({table: 'mangle', source: {address: '10.0.0.9', port: 1}}), 'NEW,SNAT');
});

test('raw exempts a packet from conntrack, or selects its zone', t => {
	for (const text of ['-j NOTRACK', '-j CT --notrack', 'notrack']) {
		const exempt = applyRule(freshPacket(0), rule(text));
		t.is(statesIn({}, exempt), 'UNTRACKED', text);
		t.is(statesIn({table: 'mangle'}, exempt), 'UNTRACKED', text);
		t.is(applyRule(tracked, rule(text)).tracking, 'tracked', 'one that is tracked already stays so');
	}

	for (const text of ['-j CT --zone 1', 'ct zone set 1', '-j CT --helper ftp']) {
		const zoned = applyRule(freshPacket(0), rule(text));
		t.is(statesIn({}, zoned), '?', text);
		t.is(statesIn({table: 'mangle'}, zoned), 'NEW', text);
	}
});

test('a socket is known at the sender only', t => {
	const socketIn = (traversal: Partial<Traversal>, state = tracked, own: Partial<Leg> = {}) => factsAt({...leg, ...own}, {...base, ...traversal}, state).socket;
	t.deepEqual(socketIn({}), {uid: 1, gid: 2});
	t.deepEqual(socketIn({hook: 'postrouting'}), {uid: 1, gid: 2});
	t.is(socketIn({hook: 'postrouting', inInterface: 'eth1'}), 'none', 'forwarded');
	t.is(socketIn({hook: 'prerouting', inInterface: 'lo'}), 'none', 'lo takes it off');
	t.is(socketIn({hook: 'forward'}), 'none');
	t.is(socketIn({hook: 'input'}), 'none');
	t.is(socketIn({hook: 'input'}, applyRule(tracked, rule('-p tcp -j TPROXY --on-port 1'))), undefined, 'TPROXY gave it one');
	t.is(socketIn({hook: 'input'}, tracked, {protocol: 'udp'}), undefined, 'UDP may know its connection early');
	t.is(socketIn({}, tracked, {socket: undefined}), undefined, 'a socket that nobody has read');
});

test('marks of sockets: inbound ones of a transparent proxy, all of ztunnel\'s, no others', t => {
	const accepted = (stop: string): Leg => ({...leg, end: {kind: 'accepted', stop}});
	const inbound = [accepted('proxy:15006'), leg];
	const outbound = [accepted('proxy:15001'), leg];
	const plain = intentOf({options: defaultOptions, release: newestRelease});
	const tproxy = intentOf({options: {...defaultOptions, inboundInterceptionMode: 'TPROXY', inboundTproxyMark: 1337}, release: newestRelease});
	const ambient = intentOfRuleSet(ambientRuleSet(parseAmbientInput('ambient:1.30').options, ['ipv4']));
	const marksUnder = [plain, tproxy, ambient].map(intent => [socketMarkOf(inbound, 0, intent), socketMarkOf(inbound, 1, intent), socketMarkOf(outbound, 1, intent)]);
	t.deepEqual(marksUnder, [[0, 0, 0], [0, 1337, 0], [0, 1337, 1337]]);
	t.is(socketMarkOf([leg, leg], 1, tproxy), 0, 'nobody had accepted it');
});
