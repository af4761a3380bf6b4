import test from 'ava';
import {differencesInMeaning, meaningOf} from '../../../src/netfilter/compare-rules.js';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import {normalText} from '../../../src/netfilter/iptables/normalize.js';
import {parseRuleText, type ParsedRule} from '../../../src/netfilter/iptables/rule.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';

function normal(text: string): ParsedRule {
	return parseRuleText(normalText(text, 'ipv4'), 'ipv4');
}

for (const [one, other] of [
	['-p tcp -m tcp --dport 80 -j RETURN', '-p tcp --dport 80 -j RETURN'],
	['-o lo -p tcp -j RETURN', '-p tcp -o lo -j RETURN'],
	['-d 10.1.2.3/8 -j RETURN', '-d 10.0.0.0/8 -j RETURN'],
	['-m comment --comment "a b" -j RETURN', '-j RETURN'],
	['-j MARK --set-mark 1337', '-j MARK --set-xmark 0x539/0xffffffff'],
	['-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT', '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
	['-j LOG --log-prefix "a"', '-j LOG --log-prefix a --log-level 4'],
] as const) {
	test(`equal in other words: ${one}`, t => {
		t.is(meaningOf(normal(one)), meaningOf(normal(other)));
	});
}

for (const [one, other] of [
	['-p tcp -m tcp --dport 80 -j RETURN', '-p tcp -m tcp --dport 81 -j RETURN'],
	['-o lo -j RETURN', '! -o lo -j RETURN'],
	['-j RETURN', '-j ACCEPT'],
	['-m nosuchmatch -j RETURN', '-j RETURN'],
	['-j LOG', '-j NFLOG'],
] as const) {
	test(`not the same: ${one} and ${other}`, t => {
		t.not(meaningOf(normal(one)), meaningOf(normal(other)));
	});
}

const asked = parseSave('*nat\n-A OUTPUT -p tcp -j ACCEPT\n-A OUTPUT -j RETURN\nCOMMIT\n*raw\nCOMMIT\n', 'ipv4');

test('the installed rules are compared chain by chain, and empty tables do not count', t => {
	t.deepEqual(differencesInMeaning(asked, parseSave('*nat\n-A OUTPUT -p tcp -j ACCEPT\n-A OUTPUT -j RETURN\nCOMMIT\n', 'ipv4')), []);
	t.deepEqual(differencesInMeaning(asked, parseSave('*nat\n-A OUTPUT -p tcp -j ACCEPT\n-A OUTPUT -j DROP\nCOMMIT\n', 'ipv4')), ['ip nat OUTPUT#2: requested `-j RETURN`, but installed is `-j DROP`']);
	t.deepEqual(differencesInMeaning(asked, parseSave('*nat\n-A OUTPUT -p tcp -j ACCEPT\nCOMMIT\n', 'ipv4')), ['ip nat OUTPUT: 2 rules were requested, but 1 are installed']);
	t.deepEqual(differencesInMeaning(asked, {tables: [...asked.tables, ...parseNft('table inet x {\n\tchain y {\n\t\taccept\n\t}\n}\n').tables]}), ['inet x y: 0 rules were requested, but 1 are installed']);
});
