import test from 'ava';
import fc from 'fast-check';
import {mutationKinds} from '../../../src/mutation/kinds.js';
import {mutantsOf, sampleOf, type Mutant} from '../../../src/mutation/mutants.js';
import {generate} from '../../../src/istio/generate.js';
import {parseReleaseInput} from '../../../src/istio/options/arguments.js';
import {differencesInMeaning} from '../../../src/netfilter/compare-rules.js';
import {parseNft, printNft} from '../../../src/netfilter/nftables/ruleset.js';
import {parseSave, printSave} from '../../../src/netfilter/iptables/save.js';
import type {AddressFamily, Backend, RuleSet} from '../../../src/netfilter/types.js';
import {anyRun} from '../../helpers/istio-options.js';
import {ofIstio} from '../../helpers/mesh.js';

const both: readonly AddressFamily[] = ['ipv4', 'ipv6'];

function ruleSetOf(text: string, backend: Backend = 'iptables-nft', families: readonly AddressFamily[] = ['ipv4']): RuleSet {
	const {release, options} = parseReleaseInput(text);
	return generate({
		release, options, families, backend,
	});
}

/** A mutant by its words, in a set with one rule that matters. */
function textsOf(rule: string, {table = 'nat', kind}: {readonly table?: string; readonly kind?: Mutant['kind']} = {}): readonly string[] {
	const {mutants} = mutantsOf(ofIstio(parseSave(`*${table}\n:OUTPUT ACCEPT\n:ONE -\n:TWO -\n-A ONE ${rule}\nCOMMIT\n`, 'ipv4')), ['ipv4']);
	return mutants.filter(mutant => kind === undefined || mutant.kind === kind).map(({ruleSet}) => ruleSet.tables[0]!.chains.find(({name}) => name === 'ONE')!.rules[0]?.text ?? 'deleted');
}

/** Reads a set again from what its program would read. */
function again(ruleSet: RuleSet): RuleSet {
	return ruleSet.tables.some(({family}) => family === 'inet')
		? parseNft(printNft(ruleSet))
		: {tables: both.flatMap(family => ruleSet.tables.some(table => table.family === (family === 'ipv4' ? 'ip' : 'ip6')) ? parseSave(printSave(ruleSet, family), family).tables : [])};
}

for (const backend of ['iptables-nft', 'nftables'] as const) {
	test(`law: every mutant reads as itself, and differs from the original and from every other mutant, ${backend}`, t => {
		fc.assert(fc.property(anyRun, ({release, options}) => {
			fc.pre(backend !== 'nftables' || release.features.nativeNftables);
			const ruleSet = generate({
				release, options, families: both, backend,
			});
			const print = (set: RuleSet): string => backend === 'nftables' ? printNft(set) : both.map(family => printSave(set, family)).join('');
			const {mutants} = mutantsOf(ofIstio(ruleSet), both);
			const seen = new Set<string>();
			for (const {ruleSet: whole, text, place} of mutants) {
				// The one table that is not the original's; the others are the same objects.
				const index = whole.tables.findIndex((table, at) => table !== ruleSet.tables[at]);
				const only = ({tables}: RuleSet): RuleSet => ({tables: [tables[index]!]});
				const [original, mutated] = [only(ruleSet), only(whole)];
				t.deepEqual(differencesInMeaning(mutated, again(mutated)), [], `${place}: ${text}`);
				t.not(print(mutated), print(original), `${place}: ${text}`);
				t.true(mutated.tables.every(({chains}) => chains.every(({rules}) => rules.every(({number}, index) => number === index + 1))));
				seen.add(`${index} ${print(mutated)}`);
			}

			t.is(seen.size, mutants.length);
		}), {numRuns: 6});
	});
}

test('the default set has mutants of every rule and, with ranges, of every kind', t => {
	for (const backend of ['iptables-nft', 'nftables'] as const) {
		const ruleSet = ruleSetOf('release:1.30 -x 10.96.0.0/12 -b 80', backend);
		const {mutants, untouched} = mutantsOf(ofIstio(ruleSet), ['ipv4']);
		const rules = ruleSet.tables.flatMap(({chains}) => chains.flatMap(chain => chain.rules));
		t.deepEqual(new Set(mutants.map(({rule}) => rule)), new Set(rules), backend);
		t.deepEqual(mutants.map(({id}) => id), mutants.map((_, index) => index + 1));
		t.deepEqual(untouched, []);
		t.deepEqual(mutationKinds.filter(kind => kind !== 'mark' && mutants.every(mutant => mutant.kind !== kind)), [], backend);
	}
});

test('a mutant has the rule that it changes, its purpose, and the change', t => {
	const {mutants} = mutantsOf(ofIstio(ruleSetOf('release:1.30')), ['ipv4']);
	const bypass = mutants.filter(({place}) => place === 'ISTIO_OUTPUT#4');
	t.deepEqual(bypass.map(({kind, text}) => `${kind}: ${text}`), [
		'delete: deleted',
		'swap: after ISTIO_OUTPUT#5',
		'negate: uid 1337 → ! uid 1337',
		'owner: uid 1337 → uid 1338',
		'widen: uid 1337 → uid 1337-1338',
		'widen: uid 1337 → uid 1336-1337',
		'target: RETURN → ACCEPT',
		'target: RETURN → DROP',
	]);
	t.true(bypass.every(({role}) => role === 'proxy-uid-bypass'));
});

const values: ReadonlyArray<readonly [rule: string, kind: Mutant['kind'], wanted: readonly string[]]> = [
	['-d 10.0.0.0/8 -j RETURN', 'widen', ['-d 10.0.0.0/7 -j RETURN']],
	['-d 10.0.0.0/8 -j RETURN', 'narrow', ['-d 10.0.0.0/9 -j RETURN', '-d 10.128.0.0/9 -j RETURN']],
	['-d 10.0.0.0/8 -j RETURN', 'address', ['-d 11.0.0.0/8 -j RETURN']],
	['-d 0.0.0.0/1 -j RETURN', 'address', ['-d 128.0.0.0/1 -j RETURN']],
	['-p tcp -m tcp --dport 80:90 -j RETURN', 'narrow', ['-p tcp -m tcp --dport 81:90 -j RETURN', '-p tcp -m tcp --dport 80:89 -j RETURN']],
	['-p tcp -m tcp --dport 65535 -j RETURN', 'widen', ['-p tcp -m tcp --dport 65534:65535 -j RETURN']],
	['-p tcp -m tcp --dport 65535 -j RETURN', 'port', ['-p tcp -m tcp --dport 65534 -j RETURN']],
	['-p tcp -m tcp --dport 0 -j RETURN', 'widen', ['-p tcp -m tcp --dport 0:1 -j RETURN']],
	['-m owner --uid-owner 0 -j RETURN', 'owner', ['-m owner --uid-owner 1 -j RETURN']],
	['-m mark --mark 0x539/0xfff -j RETURN', 'mark', ['-m mark --mark 0x538/0xfff -j RETURN']],
	['-m comment --comment "-j DROP --dport 80" -p tcp -j RETURN', 'target', ['-p tcp -m comment --comment "-j DROP --dport 80" -j ACCEPT', '-p tcp -m comment --comment "-j DROP --dport 80" -j DROP']],
	['-p tcp -j TWO', 'target', ['-p tcp -j ACCEPT', '-p tcp -j RETURN']],
	['-p tcp -j REDIRECT --to-ports 15001', 'port', ['-p tcp -j REDIRECT --to-ports 15002']],
	// Beside a port the protocol cannot be negated: neither program has words for it.
	['-p tcp -m tcp --dport 80 -j RETURN', 'negate', ['-p tcp -m tcp ! --dport 80 -j RETURN']],
	['-i eth0 -m conntrack --ctstate NEW,INVALID -j RETURN', 'negate', ['! -i eth0 -m conntrack --ctstate INVALID,NEW -j RETURN', '-i eth0 -m conntrack ! --ctstate INVALID,NEW -j RETURN']],
];

for (const [rule, kind, wanted] of values) {
	test(`${kind}: ${rule}`, t => {
		t.deepEqual(textsOf(rule, {kind}), wanted);
	});
}

test('a rule that is not understood is not changed, and is named', t => {
	const set = parseSave('*mangle\n:OUTPUT ACCEPT\n-A OUTPUT -m length --length 10:200 -j TEE --gateway 10.0.0.1\nCOMMIT\n', 'ipv4');
	const {mutants, untouched} = mutantsOf(ofIstio(set), ['ipv4']);
	t.deepEqual(mutants.map(({kind}) => kind), ['delete']);
	t.deepEqual(untouched, ['mangle:OUTPUT#1 (-m length --length 10:200)', 'mangle:OUTPUT#1 (TEE --gateway 10.0.0.1)']);
});

test('consecutive equal rules make one mutant if they are deleted, and none if they are swapped', t => {
	const {mutants} = mutantsOf(ofIstio(parseSave('*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -j ACCEPT\n-A OUTPUT -p tcp -j ACCEPT\nCOMMIT\n', 'ipv4')), ['ipv4']);
	t.deepEqual(mutants.map(({kind}) => kind).filter(kind => kind === 'delete' || kind === 'swap'), ['delete']);
});

test('only rules of the families asked for are changed, and the others stay', t => {
	const set = ruleSetOf('release:1.30', 'iptables-nft', both);
	const {mutants} = mutantsOf(ofIstio(set), ['ipv6']);
	t.true(mutants.length > 0 && mutants.every(({family}) => family === 'ip6'));
	t.true(mutants.every(({ruleSet}) => ruleSet.tables.filter(({family}) => family === 'ip').every((table, index) => table === set.tables.filter(({family}) => family === 'ip')[index])));
});

test('an empty set has no mutants', t => {
	t.deepEqual(mutantsOf(ofIstio({tables: []}), both), {mutants: [], untouched: []});
});

test('a sample is spread over all of them, each once, with its number', t => {
	const {mutants} = mutantsOf(ofIstio(ruleSetOf('release:1.30')), ['ipv4']);
	const sample = sampleOf(mutants, 10);
	t.is(new Set(sample).size, 10);
	t.true(sample[9]!.id > mutants.length * 0.8);
	t.is(sampleOf(mutants, mutants.length + 1), mutants);
	t.is(sampleOf(mutants), mutants);
});
