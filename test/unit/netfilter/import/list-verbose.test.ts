/** `iptables -L -v -n` read back: each wording is the option that it was, and one that does not say all is refused. */

import test from 'ava';
import {importRules} from '../../../../src/netfilter/import/import-rules.js';
import {ParseError} from '../../../../src/netfilter/parse-error.js';

const columns = ' pkts bytes target     prot opt in     out     source               destination         ';
const listing = (...rows: readonly string[]): string => ['# iptables -t mangle -L -v -n', 'Chain OUTPUT (policy ACCEPT 18 packets, 1080 bytes)', columns, ...rows, '', 'Chain MINE (1 references)', columns].join('\n');

/** Rows and rules as iptables 1.8.9 prints both. */
const rows: ReadonlyArray<readonly [row: string, rule: string]> = [
	['    0     0 RETURN     0    --  *      lo      127.0.0.6            0.0.0.0/0           ', '-s 127.0.0.6 -o lo -j RETURN'],
	['  12K 3400M RETURN     tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:!15008', '-p tcp -m tcp ! --dport 15008 -j RETURN'],
	['    0     0 MINE       17   --  !lo    eth+    10.0.0.0/8          !127.0.0.1            udp spts:1:1024 dpt:53 owner UID match 1337', '-s 10.0.0.0/8 ! -d 127.0.0.1 ! -i lo -o eth+ -p 17 -m udp --sport 1:1024 --dport 53 -m owner --uid-owner 1337 -j MINE'],
	['    0     0 RETURN     0    --  *      lo      0.0.0.0/0            0.0.0.0/0            ! owner GID match 1337', '-o lo -m owner ! --gid-owner 1337 -j RETURN'],
	['    0     0 MINE       6    --  *      *       0.0.0.0/0            0.0.0.0/0           [goto]  multiport dports 80,443', '-p 6 -m multiport --dports 80,443 -g MINE'],
	['    0     0            0    --  *      *       0.0.0.0/0            0.0.0.0/0           ', ''],
	['    0     0 ACCEPT    !6    --  *      *       0.0.0.0/0            0.0.0.0/0           ', '! -p 6 -j ACCEPT'],
	['    0     0 RETURN     0    -f  *      *       0.0.0.0/0            0.0.0.0/0           ', '-f -j RETURN'],
	['    0     0 RETURN     0    --  *      *       0.0.0.0/0            0.0.0.0/0            /* a "b" c */ mark match ! 0x539/0xfff', String.raw`-m comment --comment "a \"b\" c" -m mark ! --mark 0x539/0xfff -j RETURN`],
	['    0     0 ACCEPT     6    --  *      *       0.0.0.0/0            0.0.0.0/0            ctstate RELATED,ESTABLISHED', '-p 6 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
	['    0     0 TPROXY     6    --  *      *       0.0.0.0/0            0.0.0.0/0            TPROXY redirect 0.0.0.0:15006 mark 0x111/0xfff', '-p 6 -j TPROXY --on-port 15006 --on-ip 0.0.0.0 --tproxy-mark 0x111/0xfff'],
	['    0     0 CONNMARK   0    --  *      *       0.0.0.0/0            0.0.0.0/0            connmark match  0x111/0xfff CONNMARK restore', '-m connmark --mark 0x111/0xfff -j CONNMARK --restore-mark'],
	['    0     0 MARK       0    --  *      *       0.0.0.0/0            0.0.0.0/0            MARK set 0x539', '-j MARK --set-xmark 0x539/0xffffffff'],
	['    0     0 MARK       0    --  *      *       0.0.0.0/0            0.0.0.0/0            MARK xset 0x539/0xfff', '-j MARK --set-xmark 0x539/0xfff'],
	['    0     0 RETURN     6    --  *      *       0.0.0.0/0            0.0.0.0/0            tcp flags:0x06/0x02', '-p 6 -m tcp --tcp-flags SYN,RST SYN -j RETURN'],
	['    0     0 RETURN     1    --  *      *       0.0.0.0/0            0.0.0.0/0            icmptype 8 limit: avg 5/sec burst 5', '-p 1 -m icmp --icmp-type 8 -m limit --limit 5/sec --limit-burst 5 -j RETURN'],
	['    0     0 RETURN     0    --  *      *       0.0.0.0/0            0.0.0.0/0            ADDRTYPE match dst-type LOCAL', '-m addrtype --dst-type LOCAL -j RETURN'],
	['    0     0 LOG        0    --  *      *       0.0.0.0/0            0.0.0.0/0            LOG flags 0 level 4 prefix "x y"', '-j LOG --log-prefix "x y"'],
];

for (const [row, rule] of rows) {
	test(`read back: ${row.trim()}`, t => {
		const {kind, ruleSet: {tables: [table]}, families} = importRules(listing(row));
		t.is(kind, 'iptables-L');
		t.is(table?.name, 'mangle');
		t.deepEqual(families, ['ipv4']);
		t.deepEqual(table?.chains.find(({name}) => name === 'OUTPUT')?.rules.map(({text}) => text), [rule]);
		t.true(table?.chains.some(({name}) => name === 'MINE'));
	});

	test(`read back with a number in front: ${row.trim()}`, t => {
		const text = listing(`3   ${row}`).replaceAll(columns, `num  ${columns}`);
		t.deepEqual(importRules(text).ruleSet.tables[0]?.chains.find(({name}) => name === 'OUTPUT')?.rules.map(({text: read}) => read), [rule]);
	});
}

test('several tables: separated by the command before each, or by a chain that exists already', t => {
	const nat = ['Chain PREROUTING (policy ACCEPT 0 packets, 0 bytes)', columns, 'Chain OUTPUT (policy DROP 0 packets, 0 bytes)', columns, '    0     0 REDIRECT   6    --  *      *       ::/0                 fd00::1              redir ports 15001'];
	const {ruleSet, families} = importRules(['$ ip6tables -t nat -vnL', ...nat, '', 'Chain PREROUTING (policy ACCEPT)', columns, 'Chain OUTPUT (policy ACCEPT)', columns, '    0     0 CT         17       *      *       ::/0                 ::/0                 udp dpt:53 CT zone 1'].join('\n'));
	t.deepEqual(ruleSet.tables.map(({family, name, chains}) => [family, name, chains.find(chain => chain.name === 'OUTPUT')!.policy, chains.find(chain => chain.name === 'OUTPUT')!.rules[0]!.text]), [
		['ip6', 'nat', 'DROP', '-d fd00::1 -p 6 -j REDIRECT --to-ports 15001'],
		['ip6', 'raw', 'ACCEPT', '-p 17 -m udp --dport 53 -j CT --zone 1'],
	]);
	t.deepEqual(families, ['ipv6']);
});

test('each rule knows its line', t => {
	t.deepEqual([...importRules(listing(rows[0]![0], rows[1]![0])).lines.values()], [4, 5]);
});

const refusals: ReadonlyArray<readonly [text: string, line: number, reason: RegExp]> = [
	['Chain OUTPUT (policy ACCEPT)\ntarget     prot opt source               destination\nRETURN     tcp  --  anywhere             anywhere', 2, /^this is iptables -L without -v, which leaves out the interfaces/],
	[listing('    0     0 RETURN     0    --  *      *       localhost            anywhere'), 4, /^not a row of iptables -L -v -n; without -n, names appear/],
	[listing('    0     0 RETURN     0    --  *      *       0.0.0.0/0            0.0.0.0/0            statistic mode random probability 0.50000000000'), 4, /^iptables -L shows "statistic mode random probability", which does not say everything about the rule or is not understood here; use iptables-save/],
	[listing('    0     0 LOG        0    --  *      *       0.0.0.0/0            0.0.0.0/0            LOG flags 8 level 4'), 4, /^iptables -L shows "LOG flags 8 level"/],
	[listing('    0     0 CONNMARK   0    --  *      *       0.0.0.0/0            0.0.0.0/0            CONNMARK restore mask 0xff'), 4, /^iptables -L shows "CONNMARK restore mask 0xff"/],
	[listing('    0     0 RETURN     6    --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:http'), 4, /^iptables -L shows "dpt:http"/],
	[listing('hello'), 4, /^not a row of iptables -L -v -n/],
	[columns, 1, /^the beginning is missing: there is no line "Chain NAME/],
	['*nat\nChain OUTPUT (policy ACCEPT)\nCOMMIT', 2, /^this is output of iptables -L among rules in another form/],
];

for (const [index, [text, line, reason]] of refusals.entries()) {
	test(`refusal ${index + 1}: ${text.split('\n')[line - 1]?.trim()}`, t => {
		const error = t.throws(() => importRules(text), {instanceOf: ParseError});
		t.is(error.line, line);
		t.regex(error.reason, reason);
	});
}
