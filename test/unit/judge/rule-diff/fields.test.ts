import test from 'ava';
import {fieldsOf, keyOf, shapeKeyOf} from '../../../../src/judge/rule-diff/fields.js';
import {parseRuleText} from '../../../../src/netfilter/iptables/rule.js';

const reading = {nameOf: (name: string) => name, bothFamilies: false};

function key(text: string): string {
	return keyOf(fieldsOf(parseRuleText(text, text.includes('::') ? 'ipv6' : 'ipv4'), reading));
}

const same: ReadonlyArray<readonly [title: string, one: string, other: string]> = [
	['a module that is named or implied', '-p tcp -m tcp --dport 80 -j RETURN', '-p tcp --dport 80 -j RETURN'],
	['the order of matches', '-o lo -s 127.0.0.6/32 -j RETURN', '-s 127.0.0.6/32 -o lo -j RETURN'],
	['an address with and without its prefix length', '-s 127.0.0.6 -j RETURN', '-s 127.0.0.6/32 -j RETURN'],
	['a prefix length as a netmask', '-s 10.0.0.0/255.0.0.0 -j RETURN', '-s 10.0.0.0/8 -j RETURN'],
	['host bits of a range', '-s 10.1.2.3/8 -j RETURN', '-s 10.0.0.0/8 -j RETURN'],
	['an IPv6 address in two spellings', '-s 2001:DB8:0::0:1 -j RETURN', '-s 2001:db8::1/128 -j RETURN'],
	['every address, and no address', '-s 0.0.0.0/0 -j RETURN', '-j RETURN'],
	['every interface, and no interface', '-i + -j RETURN', '-j RETURN'],
	['a protocol by number', '-p 6 -j RETURN', '-p tcp -j RETURN'],
	['a comment', '-m comment --comment "why" -j RETURN', '-j RETURN'],
	['one port by multiport', '-p tcp -m multiport --dports 80 -j RETURN', '-p tcp --dport 80 -j RETURN'],
	['the order of ports', '-p tcp -m multiport --dports 81,80 -j RETURN', '-p tcp -m multiport --dports 80,81 -j RETURN'],
	['ports that touch, and their range', '-p tcp -m multiport --dports 80,81 -j RETURN', '-p tcp --dport 80:81 -j RETURN'],
	['a mark in decimals', '-m mark --mark 1337 -j RETURN', '-m mark --mark 0x539/0xffffffff -j RETURN'],
	['the order of states', '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN', '-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN'],
	['two spellings of an option', '-p tcp -j REDIRECT --to-port 80', '-p tcp -j REDIRECT --to-ports 80'],
	['blanks in what is not understood', '-m limit  --limit  3/min -j RETURN', '-m limit --limit 3/min -j RETURN'],
];

for (const [title, one, other] of same) {
	test(`the same: ${title}`, t => {
		t.is(key(one), key(other));
	});
}

const different: ReadonlyArray<readonly [title: string, one: string, other: string]> = [
	['a negation', '! -o lo -j RETURN', '-o lo -j RETURN'],
	['a protocol', '-p tcp -j RETURN', '-p udp -j RETURN'],
	['source and destination', '-s 10.0.0.1/32 -j RETURN', '-d 10.0.0.1/32 -j RETURN'],
	['in and out', '-i eth0 -j RETURN', '-o eth0 -j RETURN'],
	['source and destination port', '-p tcp --sport 80 -j RETURN', '-p tcp --dport 80 -j RETURN'],
	['not every address, which is none', '! -s 0.0.0.0/0 -j RETURN', '-j RETURN'],
	['not every interface, which is none', '! -i + -j RETURN', '-j RETURN'],
	['uid and gid', '-m owner --uid-owner 1 -j RETURN', '-m owner --gid-owner 1 -j RETURN'],
	['a mask', '-m mark --mark 0x1/0xff -j RETURN', '-m mark --mark 0x1 -j RETURN'],
	['mark and connmark', '-m mark --mark 0x1 -j RETURN', '-m connmark --mark 0x1 -j RETURN'],
	['states', '-m conntrack --ctstate NEW -j RETURN', '-m conntrack --ctstate INVALID -j RETURN'],
	['a socket', '-m owner --socket-exists -j RETURN', '-j RETURN'],
	['what is not understood', '-m limit --limit 3/min -j RETURN', '-m limit --limit 4/min -j RETURN'],
	['jump and goto', '-j X', '-g X'],
	['a port to redirect to', '-p tcp -j REDIRECT --to-ports 80', '-p tcp -j REDIRECT --to-ports 81'],
	['a redirect without a port', '-p tcp -j REDIRECT', '-p tcp -j REDIRECT --to-ports 81'],
	['a mark to set', '-j MARK --set-mark 1', '-j MARK --set-mark 2'],
	['a connection mark to set', '-j CONNMARK --set-xmark 1', '-j MARK --set-xmark 1'],
	['save and restore', '-j CONNMARK --save-mark', '-j CONNMARK --restore-mark'],
	['a zone', '-j CT --zone 1', '-j CT --zone 2'],
	['a transparent port', '-p tcp -j TPROXY --on-port 1 --tproxy-mark 1', '-p tcp -j TPROXY --on-port 2 --tproxy-mark 1'],
	['another target', '-j LOG --log-prefix a', '-j LOG --log-prefix b'],
	['no target', '-p tcp', '-p tcp -j ACCEPT'],
];

for (const [title, one, other] of different) {
	test(`not the same: ${title}`, t => {
		t.not(key(one), key(other));
	});
}

test('in a table of both families, all addresses of one family are not all packets', t => {
	const rule = parseRuleText('-s 0.0.0.0/0 -j RETURN', 'ipv4');
	t.not(keyOf(fieldsOf(rule, {...reading, bothFamilies: true})), key('-j RETURN'));
});

test('chains that correspond to each other count as having one name', t => {
	t.is(keyOf(fieldsOf(parseRuleText('-j OLD', 'ipv4'), {...reading, nameOf: name => name === 'OLD' ? 'NEW' : name})), key('-j NEW'));
});

test('a shape keeps kinds and negations, and drops values', t => {
	const shape = (text: string): string => shapeKeyOf(fieldsOf(parseRuleText(text, 'ipv4'), reading));
	t.is(shape('-p tcp --dport 80 -j ACCEPT'), shape('-p udp --dport 81 -j ACCEPT'));
	t.not(shape('-p tcp --dport 80 -j ACCEPT'), shape('-p tcp ! --dport 80 -j ACCEPT'));
	t.not(shape('-p tcp -j ACCEPT'), shape('-p tcp -j DROP'));
});
