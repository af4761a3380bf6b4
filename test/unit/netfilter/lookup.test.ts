import test from 'ava';
import {
	baseChainOf, builtInChains, findChain, findRule, isNatTable, rulesOf, tableFamily, tablesWithRules,
} from '../../../src/netfilter/lookup.js';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';

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

const native = parseNft('table inet t {\n\tchain a {\n\t\ttype nat hook output priority -100; policy accept;\n\t\tjump b\n\t}\n\tchain b {\n\t\taccept\n\t}\n}\ntable inet u {\n\tchain a {\n\t\ttype nat hook output priority -100; policy accept;\n\t\taccept\n\t}\n\tchain c {\n\t\ttype filter hook input priority filter; policy drop;\n\t\taccept\n\t}\n}\ntable inet v {\n\tchain b {\n\t\taccept\n\t}\n}\n');

test('base chains are known by iptables\' names, or by the declarations of native nft', t => {
	const [raw, nat] = set.tables;
	t.deepEqual(raw!.chains.map(chain => baseChainOf(raw!, chain)), [{type: 'filter', hook: 'prerouting', priority: -300}, {type: 'filter', hook: 'output', priority: -300}]);
	t.deepEqual(nat!.chains.map(chain => baseChainOf(nat!, chain)?.priority), [-100, 100, -100, 100, undefined]);
	const [mangle] = parseSave('*mangle\n-A OUTPUT -j ACCEPT\nCOMMIT', 'ipv4').tables;
	t.is(baseChainOf(mangle!, mangle!.chains.find(({name}) => name === 'OUTPUT')!)?.type, 'route');
	t.deepEqual(native.tables[0]!.chains.map(chain => baseChainOf(native.tables[0]!, chain)), [{type: 'nat', hook: 'output', priority: -100}, undefined]);
});

test('a table is nat when all its base chains are, and it has one', t => {
	t.deepEqual(set.tables.map(table => isNatTable(table)), [false, true]);
	t.deepEqual(native.tables.map(table => isNatTable(table)), [true, false, false]);
});
