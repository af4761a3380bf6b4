import test from 'ava';
import {
	builtInChains, findChain, findRule, rulesOf, tableFamily, tablesWithRules,
} from '../../../src/netfilter/lookup.js';
import {parseSave} from '../../../src/netfilter/save.js';

const set = parseSave('*raw\nCOMMIT\n*nat\n-N MINE\n-A OUTPUT -j MINE\n-A MINE -j RETURN\n-A MINE -j ACCEPT\nCOMMIT', 'ipv4');

test('a rule is found by its place', t => {
	t.is(findRule(set, {
		family: 'ip', table: 'nat', chain: 'MINE', number: 2,
	})?.text, '-j ACCEPT');
	t.is(findRule(set, {
		family: 'ip', table: 'nat', chain: 'MINE', number: 3,
	}), undefined);
	t.is(findRule(set, {
		family: 'ip', table: 'nat', chain: 'MINE', number: 0,
	}), undefined);
	t.is(findRule(set, {
		family: 'ip6', table: 'nat', chain: 'MINE', number: 1,
	}), undefined);
	t.is(findChain(set, {family: 'ip', table: 'raw', chain: 'OUTPUT'})?.rules.length, 0);
});

test('all rules come in order, with their places', t => {
	t.deepEqual([...rulesOf(set)].map(({family, table, chain, rule}) => [family, table, chain.name, rule.number]), [
		['ip', 'nat', 'OUTPUT', 1], ['ip', 'nat', 'MINE', 1], ['ip', 'nat', 'MINE', 2],
	]);
});

test('a table without rules is not listed', t => {
	t.deepEqual(tablesWithRules(set, 'ipv4'), ['nat']);
	t.deepEqual(tablesWithRules(set, 'ipv6'), []);
});

test('built-in chains are known per table', t => {
	t.deepEqual(builtInChains('raw'), ['PREROUTING', 'OUTPUT']);
	t.deepEqual(builtInChains('broute'), []);
	t.is(tableFamily('ipv6'), 'ip6');
});
