import test from 'ava';
import fc from 'fast-check';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import {parseNft} from '../../../src/netfilter/nftables/ruleset.js';
import type {RuleSet} from '../../../src/netfilter/types.js';
import {applyEdit, describeEdit, EditFault} from '../../../src/workshop/edits.js';
import type {RuleAt, RuleEdit} from '../../../src/workshop/protocol.js';
import {counterpartOf} from '../../../src/workshop/counterparts.js';

const dumpOf = (rules: readonly string[]): string => ['*nat', ':OUTPUT ACCEPT', ':SIDE -', '-A OUTPUT -p tcp -j SIDE', ...rules.map(rule => `-A SIDE ${rule}`), 'COMMIT', ''].join('\n');
const setOf = (ipv4: readonly string[], ipv6: readonly string[]): RuleSet => ({tables: [...parseSave(dumpOf(ipv4), 'ipv4').tables, ...parseSave(dumpOf(ipv6), 'ipv6').tables]});
const at = (number: number, family: RuleAt['family'] = 'ip', chain = 'SIDE'): RuleAt => ({
	family, table: 'nat', chain, number,
});
const bypass = '-m owner --uid-owner 1337 -j RETURN';
const rules = setOf(['-s 127.0.0.6/32 -o lo -j RETURN', bypass, '-o lo -j RETURN', '-d 127.0.0.1/32 -j RETURN'], ['-s ::6/128 -o lo -j RETURN', bypass, '-o lo -j RETURN', '-d ::1/128 -j RETURN']);
const textsOf = ({tables}: RuleSet, family: RuleAt['family']): readonly string[] => tables.find(table => table.family === family)!.chains.find(({name}) => name === 'SIDE')!.rules.map(({text}) => text);

const edits: ReadonlyArray<readonly [title: string, edit: RuleEdit, words: string]> = [
	['delete', {kind: 'delete', at: at(2)}, `SIDE#2 (IPv4 and IPv6) deleted: ${bypass}`],
	['move', {kind: 'move', at: at(2), to: 3}, `SIDE#2 (IPv4 and IPv6) moved to 3: ${bypass}`],
	['negate', {kind: 'negate', at: at(2), condition: 0}, 'SIDE#2 (IPv4 and IPv6) negated: UID 1337'],
	['another user', {
		kind: 'value', at: at(2), condition: 0, value: '2000',
	}, 'SIDE#2 (IPv4 and IPv6): UID 1337 → 2000'],
	['another text', {kind: 'text', at: at(2), text: '-p tcp -j RETURN'}, 'SIDE#2 (IPv4 and IPv6) rewritten: -p tcp -j RETURN'],
	['one more', {kind: 'insert', at: at(2), text: '-p udp -j ACCEPT'}, 'SIDE#2 (IPv4 and IPv6) added: -p udp -j ACCEPT'],
	['from the other side', {kind: 'delete', at: at(2, 'ip6')}, `SIDE#2 (IPv6 and IPv4) deleted: ${bypass}`],
];

for (const [title, edit, words] of edits) {
	test(`an edit of both families, ${title}: each becomes what it becomes alone`, t => {
		const alone = (family: RuleAt['family']): readonly string[] => textsOf(applyEdit(rules, {...edit, at: {...edit.at, family}}), family);
		const both = applyEdit(rules, {...edit, inBoth: true});
		t.deepEqual([textsOf(both, 'ip'), textsOf(both, 'ip6')], [alone('ip'), alone('ip6')]);
		t.notDeepEqual(textsOf(both, 'ip6'), textsOf(rules, 'ip6'));
		t.is(describeEdit(rules, {...edit, inBoth: true}), words);
		// Alone, the other family is as it was, and the words say which one was changed.
		const other = edit.at.family === 'ip' ? 'ip6' : 'ip';
		t.deepEqual(textsOf(applyEdit(rules, edit), other), textsOf(rules, other));
		t.is(describeEdit(rules, edit), words.replace(/\(.*?\)/u, edit.at.family === 'ip' ? '(IPv4 alone)' : '(IPv6 alone)'));
	});
}

test('rules that read differently have no counterpart, and are not changed in both', t => {
	t.is(counterpartOf(rules, at(1)), undefined);
	t.is(counterpartOf(rules, at(9)), undefined);
	t.is(describeEdit(rules, {kind: 'delete', at: at(1)}), 'SIDE#1 deleted: -s 127.0.0.6/32 -o lo -j RETURN');
	t.throws(() => applyEdit(rules, {kind: 'delete', at: at(4), inBoth: true}), {instanceOf: EditFault, message: /SIDE#4 reads differently in the other address family/u});
	t.is(counterpartOf(setOf([bypass], []), at(1)), undefined);
	t.is(counterpartOf({tables: parseSave(dumpOf([bypass]), 'ipv4').tables}, at(1)), undefined);
});

test('a rule of an inet table is for both families by itself', t => {
	const native = parseNft('table inet t {\n\tchain side {\n\t\tmeta l4proto tcp counter packets 0 bytes 0 return\n\t}\n}\n');
	t.is(counterpartOf(native, {
		family: 'inet', table: 't', chain: 'side', number: 1,
	}), undefined);
});

test('after a change of one family, the counterpart is found where it is now, and the words say so', t => {
	const shifted = applyEdit(rules, {kind: 'delete', at: at(1)});
	t.deepEqual(counterpartOf(shifted, at(1)), at(2, 'ip6'));
	const edit: RuleEdit = {kind: 'move', at: at(1), to: 2, inBoth: true};
	t.is(describeEdit(shifted, edit), `SIDE#1 (IPv4, and #2 of IPv6) moved to 2: ${bypass}`);
	t.deepEqual(textsOf(applyEdit(shifted, edit), 'ip6')[2], bypass);
});

test('of several rules that read the same, the first belongs to the first, and one too many to none', t => {
	const twice = setOf([bypass, '-o lo -j RETURN', bypass], ['-o lo -j RETURN', bypass]);
	t.deepEqual([counterpartOf(twice, at(1)), counterpartOf(twice, at(3)), counterpartOf(twice, at(2, 'ip6'))], [at(2, 'ip6'), undefined, at(1)]);
});

test('what fits one family alone is refused for both, and nothing is changed', t => {
	t.throws(() => applyEdit(rules, {
		kind: 'insert', at: at(2), text: '-d 10.0.0.1/32 -j RETURN', inBoth: true,
	}), {instanceOf: EditFault, message: /^In IPv6: This is not a valid rule of SIDE: .* Change IPv4 alone, or in a way that fits both\.$/u});
});

test('counterparts are each other\'s', t => {
	const rule = fc.constantFrom(bypass, '-o lo -j RETURN', '-p tcp -j RETURN', '-p udp -j ACCEPT');
	const chain = fc.array(rule, {maxLength: 6});
	fc.assert(fc.property(chain, chain, (ipv4, ipv6) => {
		const set = setOf(ipv4, ipv6);
		for (const number of ipv4.keys()) {
			const counterpart = counterpartOf(set, at(number + 1));
			if (counterpart !== undefined) {
				t.deepEqual(counterpartOf(set, counterpart), at(number + 1));
				t.is(textsOf(set, 'ip6')[counterpart.number - 1], textsOf(set, 'ip')[number]);
			}
		}
	}), {numRuns: 200});
});
