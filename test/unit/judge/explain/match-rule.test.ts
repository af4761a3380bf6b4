import test from 'ava';
import {askRule, type RuleAnswer} from '../../../../src/judge/explain/match-rule.js';
import type {PacketFacts} from '../../../../src/judge/explain/packet-facts.js';
import {parseNftRule} from '../../../../src/netfilter/nftables/rule.js';
import {parseRuleText} from '../../../../src/netfilter/iptables/rule.js';
import {describeAnswer} from '../../../../src/report/rules/describe-rule.js';
import type {RuleLanguage} from '../../../../src/netfilter/types.js';

/** The app's first packet to a port of another pod, in OUTPUT. */
const sent: PacketFacts = {
	family: 'ipv4',
	protocol: 'tcp',
	source: {address: '10.244.1.10', port: 40_001},
	destination: {address: '10.244.1.20', port: 8080},
	inInterface: undefined,
	outInterface: 'eth0',
	socket: {uid: 1000, gid: 2000},
	mark: 0x5_39,
	connmark: 0,
	states: ['NEW'],
};
const sent6: PacketFacts = {...sent, family: 'ipv6', source: {address: '2001:db8:1::10', port: 40_001}, destination: {address: '2001:db8:1::20', port: 8080}};
const received: PacketFacts = {...sent, inInterface: 'eth0', outInterface: undefined, socket: 'none', mark: 0};
const early: PacketFacts = {...sent, connmark: 'none', states: ['INVALID']};
const unknown: PacketFacts = {...sent, socket: undefined, mark: undefined, connmark: undefined, states: undefined};

type Case = readonly [facts: PacketFacts, rule: string, said: string];

const yes = 'matches';

/** What is said of each kind of condition: that the rule matches, or the first condition that fails with the packet's own value. */
const iptables: readonly Case[] = [
	[sent, '-p tcp -j RETURN', yes],
	[sent, '-p udp -j RETURN', '-p udp: it is TCP'],
	[sent, '! -p tcp -j RETURN', '! -p tcp: it is TCP'],
	[sent, '! -p udp -j RETURN', yes],
	[sent, '-s 10.244.1.0/24', yes],
	[sent, '-s 127.0.0.6/32', '-s 127.0.0.6/32: the source is 10.244.1.10'],
	[sent, '! -s 10.244.1.10/32', '! -s 10.244.1.10/32: the source is 10.244.1.10'],
	[sent, '-d 127.0.0.1/32', '-d 127.0.0.1/32: the destination is 10.244.1.20'],
	[sent, '! -d 127.0.0.1/32', yes],
	[sent, '! -d 10.0.0.0/8', '! -d 10.0.0.0/8: the destination is 10.244.1.20'],
	[sent, '-o lo', '-o lo: it leaves on eth0'],
	[sent, '! -o lo', yes],
	[sent, '-o eth+', yes],
	[sent, '! -o eth+', '! -o eth+: it leaves on eth0'],
	[sent, '-i eth0', '-i eth0: it did not arrive on an interface'],
	[sent, '! -i eth0', yes],
	[sent, '-i +', yes],
	[received, '-i eth0', yes],
	[received, '-i lo', '-i lo: it arrives on eth0'],
	[received, '-o eth0', '-o eth0: it does not leave on an interface here'],
	[sent, '-p tcp -m tcp --dport 15090', '--dport 15090: the port is 8080'],
	[sent, '-p tcp -m tcp --dport 8000:8080', yes],
	[sent, '-p tcp -m tcp ! --dport 8000:8090', '! --dport 8000:8090: the port is 8080'],
	[sent, '-p tcp -m tcp ! --dport 15008', yes],
	[sent, '-p tcp -m tcp --sport 80', '--sport 80: the source port is 40001'],
	[sent, '-p tcp -m multiport --dports 80,8000:8080', yes],
	[sent, '-p tcp -m multiport --dports 80,443:445', '--dports 80,443:445: the port is 8080'],
	[sent, '-p tcp -m multiport ! --dports 80,8080', '! --dports 80,8080: the port is 8080'],
	[sent, '-p udp -m udp --dport 8080', '-p udp: it is TCP'],
	[sent, '-m owner --uid-owner 1337', '--uid-owner 1337: the socket\'s UID is 1000'],
	[sent, '-m owner --uid-owner 0-1000', yes],
	[sent, '-m owner ! --uid-owner 1000', '! --uid-owner 1000: the socket\'s UID is 1000'],
	[sent, '-m owner ! --uid-owner 1337', yes],
	[sent, '-m owner --gid-owner 1337', '--gid-owner 1337: the socket\'s GID is 2000'],
	[sent, '-m owner ! --gid-owner 1999-2001', '! --gid-owner 1999-2001: the socket\'s GID is 2000'],
	[sent, '-m owner --uid-owner 1000 --gid-owner 1', '--gid-owner 1: the socket\'s GID is 2000'],
	[received, '-m owner --uid-owner 1337', '--uid-owner 1337: no local socket sent it'],
	[received, '-m owner ! --uid-owner 1337', yes],
	[sent, '-m owner --socket-exists', yes],
	[sent, '-m owner ! --socket-exists', '! --socket-exists: a local socket sent it'],
	[received, '-m owner --socket-exists', '--socket-exists: no local socket sent it'],
	[sent, '-m mark --mark 0x539/0xfff', yes],
	[sent, '-m mark ! --mark 0x539/0xfff', '! --mark 0x539/0xfff: the mark is 0x539'],
	[sent, '-m mark --mark 0x1', '--mark 0x1: the mark is 0x539'],
	[sent, '-m mark --mark 0x539/0xf', '--mark 0x539/0xf: the mark is 0x539'],
	[{...sent, mark: 0xFF_FF_FF_FF}, '-m mark --mark 0xffffffff', yes],
	[sent, '-m connmark --mark 0x111/0xfff', '-m connmark --mark 0x111/0xfff: the connection\'s mark is 0x0'],
	[sent, '-m connmark ! --mark 0x111', yes],
	[early, '-m connmark --mark 0x0', '-m connmark --mark 0x0: it belongs to no connection yet'],
	[early, '-m connmark ! --mark 0x1', '-m connmark ! --mark 0x1: it belongs to no connection yet'],
	[sent, '-m conntrack --ctstate NEW', yes],
	[sent, '-m conntrack --ctstate RELATED,ESTABLISHED', '--ctstate RELATED,ESTABLISHED: the connection is NEW'],
	[sent, '-m conntrack ! --ctstate NEW', '! --ctstate NEW: the connection is NEW'],
	[early, '-m conntrack --ctstate INVALID', yes],
	[{...sent, states: ['NEW', 'DNAT']}, '-m conntrack --ctstate DNAT', yes],
	[{...sent, states: ['NEW', 'DNAT']}, '-m conntrack ! --ctstate DNAT', '! --ctstate DNAT: the connection is NEW and DNAT'],
	[sent, '-m comment --comment "said"', yes],
	// The first that fails is told, in the order of the rule.
	[sent, '-d 127.0.0.1/32 -o lo -m owner ! --uid-owner 1000', '-d 127.0.0.1/32: the destination is 10.244.1.20'],
	[sent, '-o eth0 -p tcp -m tcp --dport 1 -m owner --uid-owner 5', '--dport 1: the port is 8080'],
	// What is not understood decides nothing, and does not hide what is.
	[sent, '-m addrtype --dst-type LOCAL', '-m addrtype --dst-type LOCAL: not understood; so it is not known whether it failed; the trace shows no hit'],
	[sent, '-o lo -m addrtype --dst-type LOCAL', '-o lo: it leaves on eth0'],
	[sent, '-m addrtype --dst-type LOCAL -m owner --uid-owner 5', '--uid-owner 5: the socket\'s UID is 1000'],
	...([
		['-m owner --uid-owner 5', '--uid-owner 5: the owner of the socket is not known'],
		['-m owner ! --socket-exists', '! --socket-exists: the owner of the socket is not known'],
		['-m mark --mark 0x1', '--mark 0x1: the mark is not known'],
		['-m connmark ! --mark 0x1', '-m connmark ! --mark 0x1: the connection\'s mark is not known'],
		['-m conntrack --ctstate NEW', '--ctstate NEW: the state of the connection is not known'],
	] as const).map(([rule, said]): Case => [unknown, rule, `${said}; so it is not known whether it failed; the trace shows no hit`]),
	[unknown, '-m mark --mark 0x1 -p udp', '-p udp: it is TCP'],
];

const iptables6: readonly Case[] = [
	[sent6, '-s 2001:db8:1::/64', yes],
	[sent6, '-d ::1/128', '-d ::1/128: the destination is 2001:db8:1::20'],
	[sent6, '! -d 2001:db8::/32', '! -d 2001:db8::/32: the destination is 2001:db8:1::20'],
];

const nft: readonly Case[] = [
	[sent, 'meta l4proto tcp counter return', yes],
	[sent, 'meta l4proto udp counter return', 'meta l4proto udp: it is TCP'],
	[sent, 'ip saddr 127.0.0.6 return', 'ip saddr 127.0.0.6: the source is 10.244.1.10'],
	[sent, 'ip daddr != 10.0.0.0/8 return', 'ip daddr != 10.0.0.0/8: the destination is 10.244.1.20'],
	[sent, 'ip6 daddr ::1 return', 'ip6 daddr ::1: it is IPv4'],
	[sent, 'ip6 daddr != ::1 return', 'ip6 daddr != ::1: it is IPv4'],
	[sent6, 'ip daddr != 127.0.0.1 return', 'ip daddr != 127.0.0.1: it is IPv6'],
	[sent6, 'ip6 daddr != ::1 return', yes],
	[sent6, 'ip6 daddr 2001:db8::/32 return', yes],
	[sent6, 'ip6 daddr fd00::/32 return', 'ip6 daddr fd00::/32: the destination is 2001:db8:1::20'],
	[sent, 'oifname "lo" return', 'oifname "lo": it leaves on eth0'],
	[sent, 'oifname != "lo" return', yes],
	[sent, 'oifname "eth*" return', yes],
	[sent, 'oifname != "eth*" return', 'oifname != "eth*": it leaves on eth0'],
	[sent, 'iifname != "eth0" return', yes],
	[sent, 'tcp dport 15090 return', 'tcp dport 15090: the port is 8080'],
	[sent, 'tcp dport != { 80, 8000-8090 } return', 'tcp dport != { 80, 8000-8090 }: the port is 8080'],
	[sent, 'udp dport 8080 return', 'meta l4proto udp: it is TCP'],
	[sent, 'tcp sport 80 return', 'tcp sport 80: the source port is 40001'],
	[sent, 'meta skuid 1337 return', 'meta skuid 1337: the socket\'s UID is 1000'],
	[sent, 'meta skuid != 0-1000 return', 'meta skuid != 0-1000: the socket\'s UID is 1000'],
	[sent, 'meta skgid != 1337 return', yes],
	// Where iptables says yes: nft asks nobody who is not there.
	[received, 'meta skuid != 1337 return', 'meta skuid != 1337: no local socket sent it'],
	[sent, 'meta mark 0x1 return', 'meta mark 0x1: the mark is 0x539'],
	[sent, 'meta mark & 0xfff != 0x539 return', 'meta mark & 0xfff != 0x539: the mark is 0x539'],
	[sent, 'ct mark 0x111 return', 'ct mark 0x111: the connection\'s mark is 0x0'],
	[early, 'ct mark != 0x111 return', 'ct mark != 0x111: it belongs to no connection yet'],
	[sent, 'ct state established,related return', 'ct state established,related: the connection is NEW'],
	[sent, 'ct state new return', yes],
	[sent, 'fib daddr type local return', 'fib daddr type local: not understood; so it is not known whether it failed; the trace shows no hit'],
	// Statements that act, and can leave the rule without a word.
	[sent, 'tcp dport 8080 tproxy to :15006 meta mark set 0x539 accept', 'all its conditions hold, but its target can leave a packet unchanged; the trace shows no hit'],
	[early, 'meta mark set ct mark', 'all its conditions hold, but its target can leave a packet unchanged; the trace shows no hit'],
	[sent, 'meta mark set ct mark', yes],
];

function say(answer: RuleAnswer, facts: PacketFacts, language: RuleLanguage): string {
	return answer.kind === 'matches' ? yes : describeAnswer({answer, facts}, {language});
}

for (const [program, cases, language] of [['iptables', iptables, 'iptables'], ['ip6tables', iptables6, 'iptables'], ['nft', nft, 'nft']] as const) {
	test(`each condition of ${program} in words, negated or not`, t => {
		for (const [facts, text, said] of cases) {
			const rule = language === 'nft' ? parseNftRule(text) : parseRuleText(text, facts.family);
			t.is(say(askRule(rule, facts, {language}), facts, language), said, text);
		}
	});
}

test('for an invalid address it is not known whether it is in a range', t => {
	const facts = {...sent, source: {address: '?', port: 1}};
	t.is(askRule(parseRuleText('-s 10.0.0.0/8', 'ipv4'), facts, {language: 'iptables'}).kind, 'not-known');
});
