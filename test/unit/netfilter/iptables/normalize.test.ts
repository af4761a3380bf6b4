import test from 'ava';
import fastCheck from 'fast-check';
import {normalize, normalizeRule, normalText} from '../../../../src/netfilter/iptables/normalize.js';
import {parseSave, printSave} from '../../../../src/netfilter/iptables/save.js';
import type {RuleSet} from '../../../../src/netfilter/types.js';
import {RuleSyntaxError} from '../../../../src/netfilter/words.js';
import {readIptablesRuns} from '../../../helpers/istio-real.js';
import {mangleOf, randomRule} from '../../../helpers/random-rules.js';
import {ruleLines} from '../../../helpers/rule-lines.js';

test('dumps of real service meshes are in normal form', t => {
	let dumps = 0;
	for (const run of readIptablesRuns()) {
		for (const [text, family] of [[run.v4, 'ipv4'], [run.v6, 'ipv6']] as const) {
			if (text !== '') {
				t.is(printSave(normalize(parseSave(text, family)), family), `${text}\n`);
				dumps++;
			}
		}
	}

	t.true(dumps > 100);
});

for (const [one, other] of [
	['-p tcp --dport 80 -s 10.1.2.3/8', '-s 10.0.0.0/255.0.0.0 -p tcp -m tcp --dport 80'],
	['-o lo ! -d 127.0.0.1/32 -p tcp ! --dport 15008 -m owner --uid-owner 1337 -j RETURN', '! -d 127.0.0.1/32 -o lo -p tcp -m owner --uid-owner 1337 -m tcp ! --dport 15008:15008 -j RETURN'],
	['-m comment --comment "x" -p tcp -m mark --mark 1 -j ACCEPT', '-p 6 -m mark --mark 0x1/0xffffffff -m comment --comment x --jump ACCEPT'],
	['-m state --state NEW,ESTABLISHED', '-m conntrack --ctstate established,new'],
	['-p tcp -j REDIRECT --to-port 15001', '-p tcp -j REDIRECT --to-ports 15001-15001'],
	['-s 0/0 -i + -p all -j RETURN', '-j RETURN'],
	['-p tcp -m tcp -j RETURN', '-p tcp -j RETURN'],
	['-p tcp -m tcp --sport 0:65535 -j RETURN', '-p tcp -j RETURN'],
	['-p tcp --syn', '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN'],
	['-j NOTRACK', '-j CT --notrack'],
	['-j REJECT', '-j REJECT --reject-with icmp-port-unreachable'],
	['-j LOG --log-level warn --log-prefix "x"', '-j LOG --log-prefix x'],
	['-p tcp -j TPROXY --tproxy-mark 1337 --on-port 15006', '-p tcp -j TPROXY --on-port 15006 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff'],
	['-j MARK --or-mark 0x4000', '-j MARK --set-xmark 0x4000/0x4000'],
	['-j CONNMARK --restore-mark --mask 0x80', '-j CONNMARK --restore-mark --nfmask 0x80 --ctmask 0x80'],
	['-j CT --zone 0', '-j CT'],
	['-m addrtype --dst-type "LOCAL" -m length --length 5', '-m length --length 5 -m addrtype --dst-type LOCAL'],
	['-p icmp --icmp-type 8', '-p icmp -m icmp --icmp-type 8'],
	['-m owner --gid-owner 5 --uid-owner 6-6', '-m owner --uid-owner 6 --gid-owner 5'],
] as const) {
	test(`one rule: ${one} = ${other}`, t => {
		t.is(normalText(one, 'ipv4'), normalText(other, 'ipv4'));
	});
}

for (const [one, other] of [
	['-p tcp --dport 80', '-p tcp --sport 80'],
	['-p tcp --dport 80', '-p tcp ! --dport 80'],
	['-m limit --limit 5/sec -m mark --mark 1', '-m mark --mark 1 -m limit --limit 5/sec'],
	['-m owner --uid-owner 5', '-m owner --gid-owner 5'],
	['! -i +', ''],
	['-m comment --comment a', '-m comment --comment b'],
	['-m string --string "-x"', '-m string --string x'],
	['-m foo --bar "a b"', '-m foo --bar a b'],
	['-m foo --bar "!" x', '-m foo --bar ! x'],
	['-m mark --mark 1', '-m mark --mark 1 -m mark --mark 2'],
	['-j MARK --set-mark 1', '-j CONNMARK --set-mark 1'],
	['-m unknown --odd 1 -m mark --mark 1', '-m mark --mark 1 -m unknown --odd 1'],
] as const) {
	test(`two rules: ${one} ≠ ${other}`, t => {
		t.not(normalText(one, 'ipv4'), normalText(other, 'ipv4'));
	});
}

test('IPv6 has other defaults', t => {
	t.is(normalText('-j REJECT', 'ipv6'), '-j REJECT --reject-with icmp6-port-unreachable');
	t.is(normalText('-p tcp -j TPROXY --on-port 5', 'ipv6'), '-p tcp -j TPROXY --on-port 5 --on-ip :: --tproxy-mark 0x0/0x0');
	t.is(normalText('-s 2001:DB8:0:0::1 ! -d ::/0', 'ipv6'), '-s 2001:db8::1/128 ! -d ::/0');
});

test('a rule has the fields of its normal text', t => {
	const [rule] = parseSave('*nat\n-A OUTPUT -p TCP -s 10.1.2.3/8 -j RETURN\nCOMMIT', 'ipv4').tables[0]!.chains[2]!.rules;
	t.deepEqual(normalizeRule(rule!, 'ipv4'), {
		chain: 'OUTPUT',
		number: 1,
		matches: [{kind: 'source', negated: false, address: '10.0.0.0/8'}, {kind: 'protocol', negated: false, protocol: 'tcp'}],
		target: {kind: 'verdict', verdict: 'return'},
		text: '-s 10.0.0.0/8 -p tcp -j RETURN',
	});
});

test('a text that is not a rule is refused', t => {
	t.throws(() => normalText('-p tpc', 'ipv4'), {instanceOf: RuleSyntaxError, message: 'unknown protocol "tpc"'});
});

test('native nft tables stay as they are', t => {
	const rule = {
		chain: 'output', number: 1, matches: [], target: {kind: 'none'}, text: 'meta l4proto tcp counter',
	} as const;
	const tables: RuleSet['tables'] = [
		{family: 'inet', name: 'mesh', chains: [{name: 'output', policy: undefined, rules: [rule]}]},
		{
			family: 'ip', name: 'mesh', chains: [{
				name: 'output', policy: 'ACCEPT', base: {type: 'nat', hook: 'output', priority: -100}, rules: [rule],
			}],
		},
		{
			family: 'ip', name: 'other', chains: [{name: 'output', policy: undefined, rules: [rule]}], objects: [],
		},
	];
	t.deepEqual(normalize({tables}), {tables});
});

for (const {family, table, given, saved} of ruleLines) {
	test(`${family} ${table} ${given}: kept, and one rule with what iptables-save makes of it`, t => {
		const dump = (text: string): string => printSave(parseSave(`*${table}\n:X - [0:0]\n:OTHER - [0:0]\n-A X ${text}\nCOMMIT`, family), family);
		t.true(dump(given).includes(`\n-A X ${given}\n`));
		if (saved !== undefined && !isReshaped(given)) {
			t.is(normalText(given, family), normalText(saved, family));
		}
	});
}

/** Modules that iptables-save turns into other words, and that nobody here takes apart. */
function isReshaped(text: string): boolean {
	return /-m (?:string|dscp|time|policy|cluster|connlabel|recent|ipv6header)|-j (?:NFLOG|HMARK)|--icmpv6-type|--tcp-option/.test(text);
}

for (const family of ['ipv4', 'ipv6'] as const) {
	test(`law: a normal text is its own normal text, and the rule keeps its words (${family})`, t => {
		fastCheck.assert(fastCheck.property(fastCheck.array(randomRule(family), {minLength: 1, maxLength: 8}), rules => {
			const set = parseSave(mangleOf(rules), family);
			t.is(printSave(set, family), mangleOf(rules));
			const normal = normalize(set);
			t.deepEqual(normalize(normal), normal);
			t.deepEqual(parseSave(printSave(normal, family), family), normal);
		}));
	});
}
