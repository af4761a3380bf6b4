import test from 'ava';
import {parseNftRule} from '../../../../src/netfilter/nftables/rule.js';
import type {Family, Match, Target} from '../../../../src/netfilter/types.js';
import {RuleSyntaxError} from '../../../../src/netfilter/words.js';
import {readFixtureRows} from '../../../helpers/fixtures.js';

type Measured = {readonly family: Family; readonly written: string; readonly printed: string};

const measured = readFixtureRows<Measured>('nft', 'measured.jsonl');
const all = 0xFF_FF_FF_FF;

/** What nft says in other words, and we leave as it was written: names that the machine looks up, and expressions that are opaque here. */
const keptAsWritten: ReadonlySet<string> = new Set([
	'skuid root accept',
	'skuid nobody accept',
	'skgid staff accept',
	'iif 1 accept',
	'tcp dport ssh accept',
	'tcp dport http accept',
	'ip daddr localhost accept',
	'ct state != related,established accept',
	'ct state & (new | related) != 0 accept',
	'ct state & new == 0 accept',
	'reject with tcp reset',
	'meter m { ip saddr limit rate 5/second } accept',
	'limit rate over 10/minute burst 5 packets drop',
	'tcp flags & (fin|syn|rst|ack) == syn accept',
	'tcp flags & (fin | syn) == fin | syn accept',
	'ether type ip ip daddr 1.1.1.1 accept',
	'tcp dport { 54-55 } accept',
	'tcp dport != { 54-55 } accept',
	'meta mark set mark & 0xffffff00 ^ 0x1',
	'meta mark set mark & 0xffffff00 ^ 0xff01',
	'ip daddr & 255.0.0.0 == 10.0.0.0 accept',
	'@th,0,16 0x35 accept',
	'ip frag-off & 0x1fff != 0 accept',
	'ip6 nexthdr icmpv6 accept',
]);

test('what nft prints stays unchanged', t => {
	t.true(measured.length > 300);
	for (const {family, printed} of measured) {
		t.is(parseNftRule(printed, family).text, printed);
	}
});

test('what a person writes becomes the text that nft prints', t => {
	t.deepEqual(measured.filter(({family, written, printed}) => parseNftRule(written, family).text !== printed).map(({written}) => written).toSorted(), [...keptAsWritten].toSorted());
});

test('both texts of a rule say the same', t => {
	for (const {family, written, printed} of measured.filter(row => !keptAsWritten.has(row.written))) {
		t.deepEqual(parseNftRule(written, family), parseNftRule(printed, family), written);
	}
});

function protocol(name: string): Match {
	return {kind: 'protocol', negated: false, protocol: name};
}

function opaque(text: string): Match {
	return {kind: 'opaque', text};
}

const tcp = protocol('tcp');

for (const [text, ...matches] of [
	['meta l4proto tcp counter return', tcp],
	['meta l4proto != 17 return', {kind: 'protocol', negated: true, protocol: 'udp'}],
	['meta l4proto { tcp, udp } return', opaque('meta l4proto { tcp, udp }')],
	['meta l4proto nonsense return', opaque('meta l4proto nonsense')],
	['ip protocol tcp return', opaque('ip protocol tcp')],
	['tcp dport 80 tcp sport 9000-9010 return', tcp, {kind: 'destination-port', negated: false, ranges: [{from: 80, to: 80}]}, {kind: 'source-port', negated: false, ranges: [{from: 9000, to: 9010}]}],
	['tcp dport != { 15008, 53 } return', tcp, {kind: 'destination-port', negated: true, ranges: [{from: 53, to: 53}, {from: 15_008, to: 15_008}]}],
	['tcp dport 9000:9010 return', tcp, opaque('tcp dport 9000:9010')],
	['tcp dport 65536 return', tcp, opaque('tcp dport 65536')],
	['tcp dport 90-80 return', tcp, opaque('tcp dport 90-80')],
	['tcp dport @ports return', tcp, opaque('tcp dport @ports')],
	['tcp dport < 1024 return', tcp, opaque('tcp dport < 1024')],
	['th dport 53 return', opaque('th dport 53')],
	['ip saddr 10.1.2.3/8 ip daddr != 127.0.0.1 return', {kind: 'source', negated: false, address: '10.0.0.0/8'}, {kind: 'destination', negated: true, address: '127.0.0.1/32'}],
	['ip6 daddr ::127.0.0.53 return', {kind: 'destination', negated: false, address: '::127.0.0.53/128'}],
	['ip6 daddr 1.2.3.4 return', opaque('ip6 daddr 1.2.3.4')],
	['ip daddr @set return', opaque('ip daddr @set')],
	['ip daddr { 1.2.3.4, 5.6.7.8 } return', opaque('ip daddr { 1.2.3.4, 5.6.7.8 }')],
	['ip saddr . tcp dport { 1.2.3.4 . 80 } return', opaque('ip saddr . tcp dport { 1.2.3.4 . 80 }')],
	['iifname lo oif != eth0 return', {kind: 'in-interface', negated: false, name: 'lo'}, {kind: 'out-interface', negated: true, name: 'eth0'}],
	['iifname "eth*" return', {kind: 'in-interface', negated: false, name: 'eth+'}],
	['iifname "eth+" return', opaque('iifname "eth+"')],
	[String.raw`iifname "eth\*" return`, opaque(String.raw`iifname "eth\*"`)],
	['skuid 5 skgid != 1-7 return', {
		kind: 'uid', negated: false, from: 5, to: 5,
	}, {
		kind: 'gid', negated: true, from: 1, to: 7,
	}],
	['meta skuid { 1, 2 } return', opaque('meta skuid { 1, 2 }')],
	['mark 1337 ct mark != 0x11 return', {
		kind: 'mark', negated: false, value: 1337, mask: all,
	}, {
		kind: 'connmark', negated: true, value: 17, mask: all,
	}],
	['mark and 0xfff != 0x539 return', {
		kind: 'mark', negated: true, value: 1337, mask: 0xF_FF,
	}],
	['meta mark 0x12000000/8 return', {
		kind: 'mark', negated: false, value: 0x12_00_00_00, mask: 0xFF_00_00_00,
	}],
	['meta mark 1-5 return', opaque('meta mark 0x00000001-0x00000005')],
	['meta mark | 1 == 5 return', opaque('meta mark | 0x00000001 == 0x00000005')],
	['ct state related,established return', {kind: 'conntrack-state', negated: false, states: ['ESTABLISHED', 'RELATED']}],
	['ct state { new, related } return', {kind: 'conntrack-state', negated: false, states: ['RELATED', 'NEW']}],
	['ct state != invalid return', {kind: 'conntrack-state', negated: true, states: ['INVALID']}],
	['ct state ! new,related return', {kind: 'conntrack-state', negated: true, states: ['NEW', 'RELATED']}],
	['ct state != established | related return', opaque('ct state != established | related')],
	['ct original ip saddr 1.2.3.4 return', opaque('ct original ip saddr 1.2.3.4')],
	['fib saddr . iif oif missing return', opaque('fib saddr . iif oif missing')],
	['limit rate over 10/minute burst 5 packets tcp dport 80 return', opaque('limit rate over 10/minute burst 5 packets'), tcp, {kind: 'destination-port', negated: false, ranges: [{from: 80, to: 80}]}],
	['some new thing tcp dport 80 counter return', opaque('some new thing tcp dport 80')],
	['return comment "a # handle 5"', {kind: 'comment', text: 'a # handle 5'}],
	['icmp type echo-request return', protocol('icmp'), opaque('icmp type echo-request')],
	['log prefix "x: " return', opaque('log prefix "x: "')],
	['meta mark set 1 return', opaque('meta mark set 0x00000001')],
] as ReadonlyArray<readonly [string, ...Match[]]>) {
	test(`matches: ${text}`, t => {
		const rule = parseNftRule(text);
		t.deepEqual(rule.matches, matches);
		t.deepEqual(rule.target, {kind: 'verdict', verdict: 'return'});
	});
}

const markAll = {value: 5, mask: all};

for (const [text, target] of [
	['counter', {kind: 'none'}],
	['accept', {kind: 'verdict', verdict: 'accept'}],
	['drop', {kind: 'verdict', verdict: 'drop'}],
	['continue', {kind: 'extension', name: 'continue', options: ''}],
	['counter jump other', {kind: 'jump', chain: 'other'}],
	['goto other', {kind: 'goto', chain: 'other'}],
	['queue num 3 bypass', {kind: 'extension', name: 'queue', options: 'num 3 bypass'}],
	['redirect', {kind: 'redirect', toPorts: undefined}],
	['counter packets 5 bytes 300 redirect to :15001', {kind: 'redirect', toPorts: {from: 15_001, to: 15_001}}],
	['redirect to 80-90', {kind: 'redirect', toPorts: {from: 80, to: 90}}],
	['redirect to :80 random', {kind: 'extension', name: 'redirect', options: 'to :80 random'}],
	['tproxy ip to :15006 meta mark set 5 counter accept', {
		kind: 'tproxy', onPort: 15_006, mark: 5, mask: all,
	}],
	['tproxy to :15006 accept', {
		kind: 'tproxy', onPort: 15_006, mark: 0, mask: 0,
	}],
	['tproxy ip to :15006', {kind: 'extension', name: 'tproxy', options: 'ip to :15006'}],
	['tproxy ip to 127.0.0.1:15006 accept', {kind: 'verdict', verdict: 'accept'}],
	['meta mark set 5', {kind: 'set-mark', ...markAll}],
	['meta mark set mark & 0xfffff000 | 0x111', {kind: 'set-mark', value: 0x1_11, mask: 0xF_FF}],
	['meta mark set mark | 0x5', {kind: 'set-mark', value: 5, mask: 5}],
	['meta mark set mark ^ 0x5', {kind: 'set-mark', value: 5, mask: 0}],
	['meta mark set mark & 0xf', {kind: 'set-mark', value: 0, mask: 0xFF_FF_FF_F0}],
	['meta mark set ct mark', {kind: 'restore-mark'}],
	['meta mark set ct mark & 0xff', {kind: 'extension', name: 'meta', options: 'mark set ct mark & 0x000000ff'}],
	['meta mark set ip saddr map { 1.2.3.4 : 5 }', {kind: 'extension', name: 'meta', options: 'mark set ip saddr map { 1.2.3.4 : 5 }'}],
	['ct mark set mark', {kind: 'save-mark'}],
	['ct mark set 5', {kind: 'set-connmark', ...markAll}],
	['ct mark set ct mark & 0xfffff000 |  0x111', {kind: 'set-connmark', value: 0x1_11, mask: 0xF_FF}],
	['ct zone set 2', {kind: 'ct-zone', zone: 2}],
	['ct original zone set 2', {kind: 'extension', name: 'ct', options: 'original zone set 2'}],
	['snat to 1.2.3.4', {kind: 'extension', name: 'snat', options: 'ip to 1.2.3.4'}],
	['dnat ip6 to [2001:db8::1]:80', {kind: 'extension', name: 'dnat', options: 'ip6 to [2001:db8::1]:80'}],
	['masquerade', {kind: 'extension', name: 'masquerade', options: ''}],
	['notrack', {kind: 'extension', name: 'notrack', options: ''}],
	['reject with icmp type host-unreachable', {kind: 'extension', name: 'reject', options: 'with icmp host-unreachable'}],
	['log prefix "a b" flags tcp sequence group 3', {kind: 'extension', name: 'log', options: 'prefix "a b" flags tcp sequence group 3'}],
	['tcp dport vmap { 80 : jump other, 90 : accept }', {kind: 'extension', name: 'vmap', options: 'tcp dport vmap { 80 : jump other, 90 : accept }'}],
	['numgen inc mod 2 vmap { 0 : accept, 1 : drop }', {kind: 'extension', name: 'vmap', options: 'numgen inc mod 2 vmap { 0 : accept, 1 : drop }'}],
	['update @seen { ip saddr }', {kind: 'extension', name: 'update', options: '@seen { ip saddr }'}],
	['ip dscp set cs1', {kind: 'extension', name: 'ip', options: 'dscp set cs1'}],
	['some set thing', {kind: 'extension', name: 'some', options: 'set thing'}],
	['counter name "seen"', {kind: 'extension', name: 'counter', options: 'name "seen"'}],
] as ReadonlyArray<readonly [string, Target]>) {
	test(`target: ${text}`, t => {
		t.deepEqual(parseNftRule(text).target, target);
	});
}

test('a condition after an action: the rule has no target, because the action is for more packets than the matches say', t => {
	const rule = parseNftRule('meta mark set 5 tcp dport 80');
	t.deepEqual(rule.target, {kind: 'none'});
	t.deepEqual(rule.matches[0], opaque('meta mark set 0x00000005'));
});

test('in a table of one family, the family is implied', t => {
	t.deepEqual(parseNftRule('ip protocol tcp return', 'ip').matches, [tcp]);
	t.is(parseNftRule('meta l4proto tcp tproxy ip to :5 accept', 'ip').text, 'meta l4proto tcp tproxy to :5 accept');
	t.is(parseNftRule('snat to 1.2.3.4', 'ip').text, 'snat to 1.2.3.4');
});

for (const [written, printed] of [
	['tcp sport != 80 th dport 5 accept', 'tcp sport != 80 tcp dport 5 accept'],
	['meta l4proto tcp counter th dport 5 accept', 'meta l4proto tcp counter tcp dport 5 accept'],
	['meta l4proto != tcp th dport 5 accept', 'meta l4proto != tcp th dport 5 accept'],
	['meta nfproto ipv4 icmp type echo-request accept', 'icmp type echo-request accept'],
] as const) {
	test(`an earlier condition implies the header: ${written}`, t => {
		t.is(parseNftRule(written).text, printed);
	});
}

test('a handle is not part of a rule', t => {
	t.is(parseNftRule('counter packets 1 bytes 60 accept # handle 7').text, 'counter accept');
});

for (const [text, reason] of [
	['', /^a rule without a statement$/],
	['jump', /^jump without a chain$/],
	['goto counter', /^goto without a chain$/],
	['accept comment', /^comment without a text$/],
	['iifname "lo accept', /^a quote that is never closed$/],
	['tcp dport { 80 accept', /^"{" without its end$/],
	['tcp flags & (syn == syn accept', /^"\(" without its end$/],
	['tcp dport 80 } accept', /^"}" without its beginning$/],
] as const) {
	test(`refusal: ${JSON.stringify(text)}`, t => {
		t.regex(t.throws(() => parseNftRule(text), {instanceOf: RuleSyntaxError}).message, reason);
	});
}
