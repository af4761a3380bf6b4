/** A loop's path, however many of its rounds were seen. */

import test from 'ava';
import fc from 'fast-check';
import {onceAround} from '../../../src/comparison/rounds.js';

/** A path whose legs are letters; the rules of a leg are its letter too, unless they are given. */
function path(legs: string, end: readonly string[] = ['loop'], rules = legs) {
	return {arrivals: [...legs, ...end], roles: [...rules].map(letter => [letter])};
}

const rows: ReadonlyArray<readonly [what: string, seen: ReturnType<typeof path>, once: ReturnType<typeof path>]> = [
	['one leg again and again', path('aaaaaaaaa'), path('a')],
	['twice is enough', path('aa'), path('a')],
	['one way in, then one leg again and again', path('bbbbbbbbb', ['loop'], 'abbbbbbbb'), path('bb', ['loop'], 'ab')],
	['two legs in turn, cut in the middle', path('ababababa'), path('ab')],
	['two legs in turn, twice', path('xabab'), path('xab')],
	['four legs in turn', path('abcdabcda'), path('abcd')],
	['a round that was seen once is not a round', path('abca'), path('abca')],
	['the last leg is another', path('aaab'), path('aaab')],
	['other rules are another leg', path('aaa', ['loop'], 'abc'), path('aaa', ['loop'], 'abc')],
	['not a loop', path('aaa', []), path('aaa', [])],
	['closed at the end', path('aaa', ['closed', 'loop']), path('aaa', ['closed', 'loop'])],
];

for (const [what, seen, once] of rows) {
	test(what, t => {
		t.deepEqual(onceAround(seen), once);
		t.deepEqual(onceAround(once), once, 'once more changes nothing');
	});
}

test('whatever the way in and the round are, two rounds and more are the same path', t => {
	const letters = fc.string({unit: fc.constantFrom('a', 'b', 'c'), maxLength: 3});
	fc.assert(fc.property(letters, letters.filter(text => text !== ''), fc.integer({min: 2, max: 4}), fc.integer({min: 0, max: 2}), (before, round, rounds, rest) => {
		const twice = path(before + round.repeat(2));
		const more = path(before + round.repeat(rounds + 3) + round.slice(0, rest));
		t.deepEqual(onceAround(more), onceAround(path(before + round.repeat(6))));
		t.true(onceAround(twice).roles.length <= before.length + round.length);
	}));
});
