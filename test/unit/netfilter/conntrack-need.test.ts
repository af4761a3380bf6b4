import test from 'ava';
import {conntrackNeedOf, type ConntrackNeed} from '../../../src/netfilter/conntrack-need.js';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';

const lines: ReadonlyArray<readonly [line: string, need: ConntrackNeed]> = [
	['-p tcp -m owner --uid-owner 1337 -j RETURN', 'no'],
	['-s 10.0.0.0/8 -o lo -p tcp -m tcp --dport 80 -m mark --mark 0x1 -m comment --comment redirect -j ACCEPT', 'no'],
	['-j MARK --set-xmark 0x1/0xffffffff', 'no'],
	['-p tcp -j TPROXY --on-port 15006 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff', 'no'],
	['-j LOG', 'no'],
	['-p tcp -j REJECT --reject-with tcp-reset', 'no'],
	['-p tcp -j REDIRECT --to-ports 15001', 'yes'],
	['-p tcp -j DNAT --to-destination 10.0.0.1:80', 'yes'],
	['-j MASQUERADE', 'yes'],
	['-m conntrack --ctstate INVALID -j DROP', 'yes'],
	['-m connmark --mark 0x1 -j RETURN', 'yes'],
	['-j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff', 'yes'],
	['-p udp -j CT --zone 1', 'yes'],
	['-m set --match-set known dst -j RETURN', 'unknown'],
	['-m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.0.0.1:80', 'yes'],
	['-p tcp -j TCPMSS --clamp-mss-to-pmtu', 'unknown'],
];

for (const [line, need] of lines) {
	test(`conntrack: ${line}`, t => {
		t.is(conntrackNeedOf(parseSave(`*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j RETURN\n-A OUTPUT ${line}\nCOMMIT\n`, 'ipv4').tables), need);
	});
}

test('conntrack: native nft', t => {
	const needOf = (statements: string): ConntrackNeed => conntrackNeedOf(parseNft(`table inet one {\n\tchain out {\n\t\ttype nat hook output priority -100; policy accept;\n\t\t${statements}\n\t}\n}\n`).tables);
	t.is(needOf('meta skuid 1337 return'), 'no');
	t.is(needOf('tcp dport 80 redirect to :15001'), 'yes');
	t.is(needOf('ct state invalid drop'), 'yes');
});

test('conntrack: no table needs it; rules that fill a set may', t => {
	t.is(conntrackNeedOf([]), 'no');
	t.is(conntrackNeedOf(parseNft('table inet one {\n\tset known {\n\t\ttype ipv4_addr\n\t}\n\tchain out {\n\t\ttype nat hook output priority -100; policy accept;\n\t\treturn\n\t}\n}\n').tables), 'unknown');
});
