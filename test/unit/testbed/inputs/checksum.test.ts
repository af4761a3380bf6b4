import test from 'ava';
import fc from 'fast-check';
import {parseText} from '../../../../src/netfilter/rule-texts.js';
import {checksumOf} from '../../../../testbed/inputs/checksum.js';

const nat = '*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n:OWN - [0:0]\n-A OUTPUT -p tcp -j OWN\n-A OWN -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n';
const raw = '*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -j CT --zone 1\nCOMMIT\n';
const mangle = '*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n';

function sum(text: string): string {
	return checksumOf({backend: 'iptables-legacy', families: ['ipv4'], ruleSet: parseText({family: 'ipv4', text})});
}

test('the order of tables, and tables that do nothing, make no difference', t => {
	fc.assert(fc.property(fc.shuffledSubarray([nat, raw, mangle], {minLength: 2}), texts => {
		const given = new Set(texts);
		t.is(sum(texts.join('')), sum([nat, raw].filter(text => given.has(text)).join('')));
	}));
});

for (const [title, change] of [
	['a rule', (text: string) => text.replace('15001', '15006')],
	['a policy', (text: string) => text.replace(':OUTPUT ACCEPT', ':OUTPUT DROP')],
	['a policy of a table without rules', (text: string) => text + mangle.replace(':OUTPUT ACCEPT', ':OUTPUT DROP')],
	['a chain of its own without rules', (text: string) => text + mangle.replace('COMMIT', ':OTHER - [0:0]\nCOMMIT')],
	['the order of rules', (text: string) => text.replace('-A OUTPUT -p tcp -j OWN', '-A OUTPUT -p udp -j OWN\n-A OUTPUT -p tcp -j OWN')],
	['a table less', (text: string) => text.replace(raw, '')],
] as const) {
	test(`goes red: ${title} makes a difference`, t => {
		t.not(change(nat + raw), nat + raw);
		t.not(sum(change(nat + raw)), sum(nat + raw));
	});
}

test('the order of native tables does make one: it is that of their declaration', t => {
	const [one, other] = ['table ip a {\n\tchain x {\n\t}\n}\n', 'table ip b {\n\tchain x {\n\t}\n}\n'];
	const of = (text: string) => checksumOf({backend: 'nftables', families: ['ipv4'], ruleSet: parseText({family: null, text})});
	t.not(of(one + other), of(other + one));
});
