/** How often a first packet must be sent again before it is known that it makes no difference. */

import test from 'ava';
import {repetitionsThatTell} from '../../../src/netfilter/repeated-packets.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import {parseText} from '../../../src/netfilter/rule-texts.js';

const table = (name: string, rules: readonly string[]): string => [`*${name}`, ':PREROUTING ACCEPT [0:0]', ':INPUT ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');

for (const {title, rules, wanted} of [
	{title: 'no rule', rules: [], wanted: 0},
	{title: 'addresses, ports, users and states', rules: ['-A OUTPUT -d 10.0.0.0/8 -p tcp -m tcp --dport 80 -m owner --uid-owner 1337 -j DROP', '-A INPUT -p tcp -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT'], wanted: 0},
	{title: 'a match of the connection\'s mark', rules: ['-A OUTPUT -m connmark --mark 0x1 -j DROP'], wanted: 1},
	{title: 'a mark for the connection', rules: ['-A OUTPUT -j CONNMARK --set-xmark 0x1/0xffffffff'], wanted: 1},
	{title: 'a saved mark', rules: ['-A OUTPUT -j CONNMARK --save-mark'], wanted: 1},
	{title: 'a restored mark', rules: ['-A OUTPUT -j CONNMARK --restore-mark'], wanted: 1},
	{title: 'TPROXY', rules: ['-A PREROUTING -p tcp -j TPROXY --on-port 15006 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff'], wanted: 1},
	{title: 'a packet without a socket', rules: ['-A OUTPUT -m owner ! --socket-exists -j DROP'], wanted: 0},
	{title: 'the socket that is there for a packet', rules: ['-A INPUT -p tcp -m socket -j DROP'], wanted: undefined},
	{title: 'a random choice', rules: ['-A OUTPUT -m statistic --mode random --probability 0.5 -j DROP'], wanted: undefined},
	{title: 'a limit, besides a mark', rules: ['-A OUTPUT -m limit --limit 1/sec -j ACCEPT', '-A OUTPUT -m connmark --mark 0x1 -j DROP'], wanted: undefined},
	{title: 'a target that is not understood', rules: ['-A OUTPUT -j LOG --log-prefix "x"'], wanted: undefined},
] as const) {
	test(`${title}: ${wanted}`, t => {
		const {tables} = parseSave(table('mangle', rules), 'ipv4');
		t.is(repetitionsThatTell(tables), wanted);
	});
}

test('native rules: a limit', t => {
	const text = (rule: string): string => `table ip own {\n\tchain out {\n\t\ttype filter hook output priority 0; policy accept;\n\t\t${rule}\n\t}\n}\n`;
	const of = (rule: string) => repetitionsThatTell(parseText({family: null, text: text(rule)}).tables);
	t.is(of('tcp dport 80 counter drop'), 0);
	t.is(of('ct mark 0x1 counter drop'), 1);
	t.is(of('limit rate 1/second counter drop'), undefined);
});

test('tables are asked by themselves', t => {
	const {tables} = parseSave(`${table('mangle', [])}${table('nat', ['-A OUTPUT -m statistic --mode random --probability 0.5 -j REDIRECT'])}`, 'ipv4');
	t.is(repetitionsThatTell(tables), undefined);
	t.is(repetitionsThatTell(tables.filter(({name}) => name !== 'nat')), 0);
});
