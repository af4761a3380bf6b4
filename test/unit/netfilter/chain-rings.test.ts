/** Rings of chains: those that packets can reach are found with their way round, and nothing else is. */

import test from 'ava';
import {printRing, ringIn} from '../../../src/netfilter/chain-rings.js';
import {importRules} from '../../../src/netfilter/import/import-rules.js';

function ringOf(...rules: readonly string[]): string | undefined {
	const {ruleSet} = importRules(`*nat\n:OUTPUT ACCEPT [0:0]\n${['A', 'B', 'C'].map(name => `:${name} - [0:0]\n`).join('')}${rules.map(rule => `${rule}\n`).join('')}COMMIT\n`, {family: 'ipv4'});
	const ring = ringIn(ruleSet);
	return ring === undefined ? undefined : `${printRing(ring)} by ${ring.map(({chain, rule}) => `${chain.name}#${rule.number}`).join(', ')}`;
}

for (const [title, rules, ring] of [
	['no jump at all', ['-A OUTPUT -p tcp -j ACCEPT'], undefined],
	['a chain that two chains jump to', ['-A OUTPUT -j A', '-A OUTPUT -j B', '-A A -j C', '-A B -j C'], undefined],
	['a chain that jumps to itself', ['-A OUTPUT -j A', '-A A -p tcp -j RETURN', '-A A -p udp -j A'], 'A → A by A#2'],
	['a ring of two', ['-A OUTPUT -j A', '-A A -j B', '-A B -j A'], 'A → B → A by A#1, B#1'],
	['a ring of three behind others, with goto', ['-A OUTPUT -p tcp -j RETURN', '-A OUTPUT -j A', '-A A -j B', '-A B -p tcp -j RETURN', '-A B -g C', '-A C -j A'], 'A → B → C → A by A#1, B#2, C#1'],
	['a ring that is entered from the side', ['-A OUTPUT -j A', '-A A -j B', '-A B -j C', '-A C -j B'], 'B → C → B by B#1, C#1'],
	['a ring that no packet reaches, which the kernel takes', ['-A OUTPUT -p tcp -j RETURN', '-A A -j B', '-A B -j A'], undefined],
] as const) {
	test(title, t => {
		t.is(ringOf(...rules), ring);
	});
}

test('native tables: a ring of chains through goto', t => {
	const {ruleSet} = importRules('table inet x {\n\tchain o {\n\t\ttype nat hook output priority -100; policy accept;\n\t\tjump a\n\t}\n\tchain a {\n\t\ttcp dport 80 goto b\n\t}\n\tchain b {\n\t\tjump a\n\t}\n}\n', {});
	t.is(printRing(ringIn(ruleSet)!), 'a → b → a');
});

test('the same chain names in two tables are not a ring', t => {
	const {ruleSet} = importRules('*mangle\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n-A OUTPUT -j A\n-A A -j B\nCOMMIT\n*nat\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n-A OUTPUT -j B\n-A B -j A\nCOMMIT\n', {family: 'ipv4'});
	t.is(ringIn(ruleSet), undefined);
});

test('a chain of jumps that is longer than any call stack', t => {
	const count = 20_000;
	const names = Array.from({length: count}, (_, index) => `C${index}`);
	const {ruleSet} = importRules(`*nat\n:OUTPUT ACCEPT [0:0]\n${names.map(name => `:${name} - [0:0]\n`).join('')}-A OUTPUT -j C0\n${names.slice(1).map((name, index) => `-A C${index} -j ${name}\n`).join('')}COMMIT\n`, {family: 'ipv4'});
	t.is(ringIn(ruleSet), undefined);
});
