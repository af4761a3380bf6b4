import test from 'ava';
import fc from 'fast-check';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {sidecarRuleSet} from '../../../../src/istio/iptables/sidecar.js';
import {
	diffRuleSets, isEqualDiff, type RuleChange, type RuleSetDiff,
} from '../../../../src/judge/rule-diff/rule-diff.js';
import {fieldsOf, keyOf} from '../../../../src/judge/rule-diff/fields.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import type {
	AddressFamily, Chain, Match, Rule, RuleSet, Table, TableObject, Target,
} from '../../../../src/netfilter/types.js';
import {describeChange} from '../../../../src/report/rules/describe-diff.js';
import {
	deleteRule, insertRule, moveRule, replaceRule, type Mutation,
} from '../../../helpers/reports.js';
import {ofIstio} from '../../../helpers/mesh.js';

function setOf(input = 'release:1.30', families: readonly AddressFamily[] = ['ipv4']): RuleSet {
	const {release, options} = parseReleaseInput(input);
	return sidecarRuleSet(release, options, families);
}

function diff(from: RuleSet, to: RuleSet, families: readonly AddressFamily[] = ['ipv4']): RuleSetDiff {
	return diffRuleSets({from: ofIstio(from), to: ofIstio(to)}, families);
}

/** `nat ISTIO_OUTPUT: sentence`, one for each change. */
function told({chains}: RuleSetDiff): readonly string[] {
	return chains.flatMap(({from, to, changes}) => changes.map(change => `${(to ?? from)!.chain}: ${describeChange(change)}`));
}

const plain = setOf();

const mutations: ReadonlyArray<{readonly title: string; readonly mutate: Mutation; readonly told: readonly string[]}> = [
	{title: 'a rule that is gone', mutate: deleteRule('ISTIO_OUTPUT', 4), told: ['ISTIO_OUTPUT: proxy-uid-bypass is gone; it was #4.']},
	{title: 'a rule that moved up is one change', mutate: moveRule('ISTIO_OUTPUT', {from: 9, to: 1}), told: ['ISTIO_OUTPUT: outbound-capture moved from #9 to #1.']},
	{title: 'a rule that moved down is one change', mutate: moveRule('ISTIO_OUTPUT', {from: 1, to: 7}), told: ['ISTIO_OUTPUT: passthrough-source moved from #1 to #7.']},
	{title: 'a foreign rule is new', mutate: insertRule('OUTPUT', 1, '-p tcp -m tcp --dport 22 -j ACCEPT'), told: ['OUTPUT: A foreign rule is new at #1.']},
	{
		title: 'another value', mutate: replaceRule('ISTIO_REDIRECT', 1, '-p tcp -j REDIRECT --to-ports 15999'),
		told: ['ISTIO_REDIRECT: outbound-redirect at #1 changed: target redirect to 15001 → redirect to 15999.'],
	},
	{
		title: 'a match less', mutate: replaceRule('ISTIO_OUTPUT', 2, '! -d 127.0.0.1/32 -o lo -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT'),
		told: ['ISTIO_OUTPUT: hairpin-by-uid at #2 changed: protocol tcp → any; destination-port ! 15008 → any.'],
	},
	{
		title: 'another value at another number', mutate: set => deleteRule('ISTIO_INBOUND', 1)(replaceRule('ISTIO_INBOUND', 4, '-p tcp -m tcp --dport 9999 -j RETURN')(set)),
		told: ['ISTIO_INBOUND: inbound-tunnel-port is gone; it was #1.', 'ISTIO_INBOUND: inbound-port-exclude at #4, now #3, changed: destination-port 15020 → 9999.'],
	},
	{title: 'other words', mutate: replaceRule('ISTIO_INBOUND', 2, '-p tcp --dport 15090 -m comment --comment "metrics" -j RETURN'), told: []},
];

for (const {title, mutate, told: wanted} of mutations) {
	test(title, t => {
		const found = diff(plain, mutate(plain));
		t.deepEqual(told(found), wanted);
		t.is(isEqualDiff(found), wanted.length === 0);
	});
}

test('a foreign rule with the same shape and neighbors is changed; with another shape it is a different rule', t => {
	const withPort = insertRule('OUTPUT', 1, '-p tcp -m tcp --dport 22 -j ACCEPT')(plain);
	t.deepEqual(told(diff(withPort, replaceRule('OUTPUT', 1, '-p tcp -m tcp --dport 23 -j ACCEPT')(withPort))), ['OUTPUT: A foreign rule at #1 changed: destination-port 22 → 23.']);
	t.deepEqual(told(diff(withPort, replaceRule('OUTPUT', 1, '-p tcp -m tcp --dport 22 -j DROP')(withPort))), [
		'OUTPUT: A foreign rule is gone; it was #1.', 'OUTPUT: A foreign rule is new at #1.',
	]);
});

test('counts: what was compared, and what is the same', t => {
	t.deepEqual(diff(plain, plain).compared, {from: 18, to: 18, same: 18});
	t.deepEqual(diff(plain, deleteRule('ISTIO_OUTPUT', 4)(plain)).compared, {from: 18, to: 17, same: 17});
	t.deepEqual(diff(plain, replaceRule('ISTIO_REDIRECT', 1, '-p tcp -j REDIRECT --to-ports 1')(plain)).compared, {from: 18, to: 18, same: 17});
});

test('options: another user changes the rules of that user in their places', t => {
	const lines = told(diff(plain, setOf('release:1.30 -u 2000')));
	t.is(lines.length, 6);
	t.true(lines.every(line => /changed: [ug]id (?:! )?1337 → (?:! )?2000\.$/u.test(line)), lines.join('\n'));
});

test('a renamed chain: jumps to it are the same, and its rules are compared', t => {
	const dump = (name: string, port: number): RuleSet => parseSave(`*nat\n:${name} - [0:0]\n-A OUTPUT -p tcp -j ${name}\n-A ${name} -p udp -j RETURN\n-A ${name} -d 10.0.0.1/32 -p tcp -m tcp --dport ${port} -j ACCEPT\nCOMMIT\n`, 'ipv4');
	const renamed = diff(dump('OLD', 1), dump('NEW', 1));
	t.deepEqual(renamed.chains.map(({from, to, isRenamed, changes}) => ({from, to, isRenamed, changes})), [{
		from: {table: 'nat', chain: 'OLD'}, to: {table: 'nat', chain: 'NEW'}, isRenamed: true, changes: [],
	}]);
	t.false(isEqualDiff(renamed));
	t.deepEqual(told(diff(dump('OLD', 1), dump('NEW', 2))), ['NEW: A foreign rule at #2 changed: destination-port 1 → 2.']);
});

test('a chain of another name with other rules is another chain', t => {
	const dump = (name: string, rule: string): RuleSet => parseSave(`*nat\n:${name} -\n-A OUTPUT -j ${name}\n-A ${name} ${rule}\nCOMMIT\n`, 'ipv4');
	t.deepEqual(told(diff(dump('OLD', '-p udp -j RETURN'), dump('NEW', '-p tcp -j ACCEPT'))), [
		'OUTPUT: A foreign rule at #1 changed: target jump OLD → jump NEW.', 'NEW: A foreign rule is new at #1.', 'OLD: A foreign rule is gone; it was #1.',
	]);
});

test('a chain without rules, a policy', t => {
	const dump = (head: string): RuleSet => parseSave(`*filter\n${head}-A INPUT -p tcp -j ACCEPT\nCOMMIT\n`, 'ipv4');
	t.deepEqual(diff(dump(''), dump(':EMPTY -\n')).chains, [{
		family: 'ipv4', from: null, to: {table: 'filter', chain: 'EMPTY'}, isRenamed: false, properties: [], changes: [],
	}]);
	t.deepEqual(diff(dump(':EMPTY -\n'), dump('')).chains.map(({to}) => to), [null]);
	t.deepEqual(diff(dump(''), dump(':FORWARD DROP\n')).chains.map(({properties}) => properties), [[{name: 'policy', from: 'ACCEPT', to: 'DROP'}]]);
});

test('a table in only one set: built-in chains that accept are not a difference, a policy is', t => {
	const one = parseSave('*nat\nCOMMIT\n', 'ipv4');
	t.true(isEqualDiff(diff(one, parseSave('*nat\nCOMMIT\n*raw\nCOMMIT\n', 'ipv4'))));
	t.deepEqual(diff(one, parseSave('*nat\nCOMMIT\n*raw\n:OUTPUT DROP\nCOMMIT\n', 'ipv4')).chains.map(({from, to, properties}) => ({from, to, properties})), [
		{from: null, to: {table: 'raw', chain: 'OUTPUT'}, properties: [{name: 'policy', from: 'ACCEPT', to: 'DROP'}]},
	]);
});

test('families are compared one by one', t => {
	const both = setOf('release:1.30', ['ipv4', 'ipv6']);
	const {chains} = diff(both, {tables: both.tables.map(table => table.family === 'ip6' ? deleteRule('ISTIO_OUTPUT', 1)({tables: [table]}).tables[0]! : table)}, ['ipv4', 'ipv6']);
	t.deepEqual(chains.map(({family, to}) => [family, to?.chain]), [['ipv6', 'ISTIO_OUTPUT']]);
});

function nativeRule(chain: string, [matches, target, text]: readonly [readonly Match[], Target, string], number: number): Rule {
	return {
		chain, number, matches, target, text,
	};
}

const tcp: Match = {kind: 'protocol', negated: false, protocol: 'tcp'};
const overLo: Match = {kind: 'out-interface', negated: false, name: 'lo'};
const source = (address: string): Match => ({kind: 'source', negated: false, address});
const returns: Target = {kind: 'verdict', verdict: 'return'};

/** A small native table and its iptables counterpart. */
function native({port = 15_001, objects = [], policy = 'ACCEPT', priority = -100}: {port?: number; objects?: readonly TableObject[]; policy?: Chain['policy']; priority?: number} = {}): RuleSet {
	const rules: Readonly<Record<string, ReadonlyArray<readonly [readonly Match[], Target, string]>>> = {
		output: [[[], {kind: 'jump', chain: 'istio-output'}, 'counter jump istio-output']],
		'istio-output': [
			[[source('127.0.0.6'), overLo], returns, 'oifname "lo" ip saddr 127.0.0.6 counter return'],
			[[source('::6'), overLo], returns, 'oifname "lo" ip6 saddr ::6 counter return'],
			[[], {kind: 'jump', chain: 'istio-redirect'}, 'counter jump istio-redirect'],
		],
		'istio-redirect': [[[tcp], {kind: 'redirect', toPorts: {from: port, to: port}}, `meta l4proto tcp counter redirect to :${port}`]],
	};
	const table: Table = {
		family: 'inet',
		name: 'istio-proxy-nat',
		chains: Object.entries(rules).map(([name, own]): Chain => ({
			name, policy: name === 'output' ? policy : undefined, ...(name === 'output' ? {base: {type: 'nat', hook: 'output', priority}} : {}), rules: own.map((rule, index) => nativeRule(name, rule, index + 1)),
		})),
		objects,
	};
	return {tables: [table]};
}

const counterpartDumps = {
	ipv4: '*nat\n:ISTIO_OUTPUT -\n:ISTIO_REDIRECT -\n-A OUTPUT -j ISTIO_OUTPUT\n-A ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN\n-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n',
	ipv6: '*nat\n:ISTIO_OUTPUT -\n:ISTIO_REDIRECT -\n-A OUTPUT -j ISTIO_OUTPUT\n-A ISTIO_OUTPUT -s ::6/128 -o lo -j RETURN\n-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n',
} as const satisfies Record<AddressFamily, string>;

function counterpart(families: readonly AddressFamily[]): RuleSet {
	return {tables: families.flatMap(family => parseSave(counterpartDumps[family], family).tables)};
}

for (const families of [['ipv4'], ['ipv6'], ['ipv4', 'ipv6']] as const) {
	test(`a native set and its iptables counterpart are equal, family by family: ${families.join(', ')}`, t => {
		const found = diff(counterpart(families), native(), families);
		t.deepEqual(found.chains, []);
		t.deepEqual(found.compared, {from: 4 * families.length, to: 4 * families.length, same: 4 * families.length});
		t.true(isEqualDiff(diff(native(), counterpart(families), families)));
	});
}

test('a native set and its iptables counterpart: differences have the names and numbers of each side', t => {
	const {chains} = diff(counterpart(['ipv6']), native({port: 15_999}), ['ipv6']);
	t.deepEqual(chains.map(({family, from, to, isRenamed}) => ({
		family, from, to, isRenamed,
	})), [{
		family: 'ipv6', from: {table: 'nat', chain: 'ISTIO_REDIRECT'}, to: {table: 'istio-proxy-nat', chain: 'istio-redirect'}, isRenamed: false,
	}]);
	t.deepEqual(told({...diff(counterpart(['ipv6']), native({port: 15_999}), ['ipv6'])}), ['istio-redirect: outbound-redirect at #1 changed: target redirect to 15001 → redirect to 15999.']);
	const [change] = diff(counterpart(['ipv6']), deleteRule('istio-output', 1)(native()), ['ipv6']).chains;
	t.is(change, undefined);
});

test('two native sets are compared completely', t => {
	t.true(isEqualDiff(diff(native(), native())));
	const [chain] = diff(native(), deleteRule('istio-output', 2)(native())).chains;
	t.is(chain?.family, 'both');
	t.deepEqual(chain?.changes.map(({kind, role}) => [kind, role]), [['removed', 'passthrough-source']]);
});

test('the hook and policy of a native chain', t => {
	const {chains} = diff(native(), native({policy: 'DROP', priority: -90}));
	t.deepEqual(chains.map(({properties}) => properties), [[{name: 'policy', from: 'ACCEPT', to: 'DROP'}, {name: 'priority', from: '-100', to: '-90'}]]);
	t.true(isEqualDiff(diff(native({policy: undefined}), native())));
});

test('sets and other objects of a native table', t => {
	const set = (text: string): TableObject => ({kind: 'set', name: 'ports', text});
	t.true(isEqualDiff(diff(native({objects: [set('a')]}), native({objects: [set('a')]}))));
	t.deepEqual(diff(native({objects: [set('a')]}), native({objects: [set('b')]})).objects, [{
		family: 'inet', table: 'istio-proxy-nat', kind: 'set', name: 'ports', from: 'a', to: 'b',
	}]);
	t.deepEqual(diff(native(), native({objects: [set('b')]})).objects.map(({from, to}) => [from, to]), [[null, 'b']]);
	t.is(diff(counterpart(['ipv4', 'ipv6']), native({objects: [set('b')]}), ['ipv4', 'ipv6']).objects.length, 1);
	t.deepEqual(diff(native({objects: [set('b')]}), native()).objects.map(({from, to}) => [from, to]), [['b', null]]);
});

/** Applies changes to a chain: removes what moved, changed or is gone, and inserts the new rules at their numbers. */
function apply(rules: readonly Rule[], changes: readonly RuleChange[]): readonly Rule[] {
	const out = new Set(changes.flatMap(change => 'from' in change ? [change.from.number] : []));
	const result = rules.filter(({number}) => !out.has(number));
	const wanted = changes.flatMap(change => 'to' in change ? [change.to] : []).toSorted((one, other) => one.number - other.number);
	for (const rule of wanted) {
		result.splice(rule.number - 1, 0, rule);
	}

	return result;
}

const ruleTexts = fc.oneof(
	fc.constantFrom('-s 127.0.0.6/32 -o lo -j RETURN', '-j ISTIO_REDIRECT', '-d 127.0.0.1/32 -j RETURN', '-m owner --uid-owner 1337 -j RETURN', '-m owner --gid-owner 1337 -j RETURN', '-o lo -m owner ! --uid-owner 1337 -j RETURN', '-p tcp', '-m limit --limit 3/min -j RETURN', '-m comment --comment "x" -j RETURN', ''),
	fc.nat({max: 4}).map(port => `-p tcp -m tcp --dport ${port} -j RETURN`),
	fc.nat({max: 4}).map(port => `-p tcp --dport ${port} -j RETURN`),
	fc.nat({max: 3}).map(part => `-d 10.${part}.0.0/16 -j RETURN`),
	fc.nat({max: 3}).map(id => `-m owner --uid-owner ${id} -j RETURN`),
);

function chainOf(texts: readonly string[]): RuleSet {
	return parseSave(['*nat', ':ISTIO_OUTPUT -', ':ISTIO_REDIRECT -', ...texts.map(text => `-A ISTIO_OUTPUT ${text}`), 'COMMIT', ''].join('\n'), 'ipv4');
}

function rulesOfChain({tables}: RuleSet): readonly Rule[] {
	return tables[0]!.chains.find(({name}) => name === 'ISTIO_OUTPUT')!.rules;
}

const keysOf = (rules: readonly Rule[]): readonly string[] => rules.map(rule => keyOf(fieldsOf(rule, {nameOf: name => name, bothFamilies: false})));

test('a set has no differences from itself', t => {
	fc.assert(fc.property(fc.array(ruleTexts, {maxLength: 15}), texts => {
		t.true(isEqualDiff(diff(chainOf(texts), chainOf(texts))));
	}));
});

test('the changes, applied to the old chain, give the new one', t => {
	fc.assert(fc.property(fc.array(ruleTexts, {maxLength: 15}), fc.array(ruleTexts, {maxLength: 15}), (old, fresh) => {
		const [from, to] = [chainOf(old), chainOf(fresh)];
		const {chains, compared} = diff(from, to);
		const changes = chains.find(chain => chain.to?.chain === 'ISTIO_OUTPUT')?.changes ?? [];
		t.deepEqual(keysOf(apply(rulesOfChain(from), changes)), keysOf(rulesOfChain(to)));
		t.is(compared.same, fresh.length - changes.filter(({kind}) => kind !== 'removed').length);
		t.true(changes.every(change => change.kind !== 'changed' || change.values.length > 0));
	}));
});

test('one rule that moves is one change', t => {
	fc.assert(fc.property(fc.nat({max: 9}), fc.nat({max: 9}), (from, to) => {
		const texts = Array.from({length: 10}, (_, index) => `-p tcp -m tcp --dport ${index} -j RETURN`);
		const rest = texts.toSpliced(from, 1);
		const changes = diff(chainOf(texts), chainOf(rest.toSpliced(to, 0, texts[from]!))).chains.flatMap(chain => chain.changes);
		t.deepEqual(changes.map(({kind}) => kind), from === to ? [] : ['moved']);
	}));
});

test('a large set in reverse order', t => {
	const texts = Array.from({length: 5000}, (_, index) => `-s 10.${index >> 8}.${index & 255}.0/24 -p tcp -m tcp --dport ${index} -j ACCEPT`);
	const [from, to] = [chainOf(texts), chainOf(texts.toReversed())];
	const {compared, chains} = diff(from, to);
	t.is(compared.same, 1);
	t.deepEqual(new Set(chains.flatMap(({changes}) => changes.map(({kind}) => kind))), new Set(['moved']));
});
