/** Rules that keep IPv6 from finding its neighbors, and rules that do not. */

import test from 'ava';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {neighborHints, rulesAgainstNeighbors} from '../../../src/judge/neighbor-discovery.js';

function filter(rules: readonly string[], {policy = 'ACCEPT', chains = []}: {readonly policy?: string; readonly chains?: readonly string[]} = {}): RuleSet {
	return parseSave(['*filter', `:INPUT ${policy}`, ':OUTPUT ACCEPT', ...chains.map(name => `:${name} -`), ...rules.map(rule => `-A ${rule}`), 'COMMIT', ''].join('\n'), 'ipv6');
}

const cases: ReadonlyArray<readonly [title: string, ruleSet: RuleSet, places: readonly string[]]> = [
	['reject of everything behind what is established and what is over lo', filter(['INPUT -m state --state ESTABLISHED -j ACCEPT', 'INPUT -i lo -d ::1/128 -j ACCEPT', 'INPUT -j REJECT --reject-with icmp6-port-unreachable']), ['filter:INPUT#3 (-j REJECT --reject-with icmp6-port-unreachable)']],
	['the policy', filter(['INPUT -p tcp -j ACCEPT'], {policy: 'DROP'}), ['the policy of filter:INPUT']],
	['in a chain of its own', filter(['OUTPUT -j MINE', 'MINE -o eth+ -j DROP'], {chains: ['MINE']}), ['filter:MINE#1 (-o eth+ -j DROP)']],
	['native', parseNft('table inet f {\n\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n\t\tmeta l4proto tcp accept\n\t}\n}\n'), ['the policy of f:c']],
	['ICMPv6 is let pass', filter(['INPUT -p ipv6-icmp -j ACCEPT', 'INPUT -j DROP']), []],
	['some ICMPv6 may be let pass', filter(['INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT', 'INPUT -j DROP']), []],
	['TCP alone is dropped', filter(['INPUT -p tcp -j DROP', 'INPUT -p udp -m udp --dport 53 -j DROP']), []],
	['another interface', filter(['INPUT -i eth1 -j DROP']), []],
	['left by a return', filter(['INPUT -j MINE', 'MINE -j RETURN', 'MINE -j DROP'], {chains: ['MINE']}), []],
	['nat is not asked', parseNft('table ip6 n {\n\tchain c {\n\t\ttype nat hook output priority -100; policy drop;\n\t}\n}\n'), []],
	['IPv4', parseSave('*filter\n:INPUT DROP\nCOMMIT\n', 'ipv4'), []],
];

for (const [title, ruleSet, places] of cases) {
	test(title, t => {
		t.deepEqual(rulesAgainstNeighbors(ruleSet), places);
		t.is(neighborHints(ruleSet).length, places.length === 0 ? 0 : 1);
	});
}
