import test from 'ava';
import fc from 'fast-check';
import {align, type Item} from '../../../../src/judge/rule-diff/alignment.js';

/** `a` is a rule; `a1` and `a2` are rules of one kind that say different things. */
function chain(text: string): readonly Item[] {
	return text.split(' ').filter(word => word !== '').map(key => ({key, kind: key.replaceAll(/\d+/gu, '')}));
}

function printed(from: string, to: string): {readonly inPlace: string; readonly moved: string} {
	const {inPlace, moved} = align(chain(from), chain(to));
	const print = (pairs: typeof inPlace): string => pairs.map(pair => `${pair.from}-${pair.to}`).join(' ');
	return {inPlace: print(inPlace), moved: print(moved)};
}

const rows: ReadonlyArray<readonly [title: string, from: string, to: string, inPlace: string, moved: string]> = [
	['nothing', '', '', '', ''],
	['equal chains', 'a b c', 'a b c', '0-0 1-1 2-2', ''],
	['a rule that is gone', 'a b c', 'a c', '0-0 2-1', ''],
	['a rule that is new', 'a c', 'a b c', '0-0 1-2', ''],
	['a rule that moved forward is one', 'a b c d', 'd a b c', '0-1 1-2 2-3', '3-0'],
	['a rule that moved back is one', 'a b c d', 'b c d a', '1-0 2-1 3-2', '0-3'],
	['a change in its place', 'a b1 c', 'a b2 c', '0-0 1-1 2-2', ''],
	['a change of another kind is none', 'a b c', 'a d c', '0-0 2-2', ''],
	['a change in another place is none', 'a1 b', 'b a2', '1-0', ''],
	['what stands elsewhere as it is, is no change', 'a1 b a2', 'a2 b a1', '2-0', '0-2 1-1'],
	['one of two equal rules is gone', 'a b a', 'b a', '1-0 2-1', ''],
	['several changes', 'a1 b1 c1', 'a2 b2 c2', '0-0 1-1 2-2', ''],
	['more rules of a kind than before', 'a1', 'a2 a3', '0-0', ''],
];

for (const [title, from, to, inPlace, moved] of rows) {
	test(title, t => {
		t.deepEqual(printed(from, to), {inPlace, moved});
	});
}

const chains = fc.array(fc.constantFrom(...chain('a b c d1 d2 d3 e1 e2 f')), {maxLength: 12});

test('each pair has the same kind of rule, pairs are in order, and no rule is in two pairs', t => {
	fc.assert(fc.property(chains, chains, (from, to) => {
		const {inPlace, moved} = align(from, to);
		const all = [...inPlace, ...moved];
		t.is(new Set(all.map(pair => pair.from)).size, all.length);
		t.is(new Set(all.map(pair => pair.to)).size, all.length);
		t.true(inPlace.every((pair, index) => index === 0 || (pair.from > inPlace[index - 1]!.from && pair.to > inPlace[index - 1]!.to)));
		t.true(inPlace.every(pair => from[pair.from]!.kind === to[pair.to]!.kind));
		t.true(moved.every(pair => from[pair.from]!.key === to[pair.to]!.key));
	}));
});

test('a chain aligned with itself', t => {
	fc.assert(fc.property(chains, items => {
		const {inPlace, moved} = align(items, items);
		t.deepEqual(moved, []);
		t.true(inPlace.length === items.length && inPlace.every(({from, to}) => from === to));
	}));
});

test('chains too long to compare every pair: a moved rule is one change, and a changed rule is found', t => {
	const long = Array.from({length: 10_000}, (_, index): Item => ({key: `r${index}`, kind: 'r'}));
	const changed = long.with(5000, {key: 'other', kind: 'r'});
	const to = [long[9998]!, ...changed.slice(1, 9998), long[0]!, long[9999]!];
	const {inPlace, moved} = align(long, to);
	t.deepEqual(moved.map(pair => [pair.from, pair.to]), [[0, 9998], [9998, 0]]);
	t.is(inPlace.length, 9998);
	t.true(inPlace.some(pair => pair.from === 5000 && pair.to === 5000));
});
