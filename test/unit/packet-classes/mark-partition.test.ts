/** Marks: no interval holds them, so each set of those that nothing tells apart is found by its answers. */

import test from 'ava';
import fc from 'fast-check';
import {rulesOf} from '../../../src/netfilter/lookup.js';
import {divideMarks, markIntervalsMax, type MarkPartition} from '../../../src/packet-classes/mark-partition.js';
import {rulesOfTable} from '../../helpers/class-sets.js';

function intervalsOf(lines: readonly string[], routed: Parameters<typeof divideMarks>[1] = []): MarkPartition {
	return divideMarks([...rulesOf(rulesOfTable('mangle', lines.map(line => `-A OUTPUT ${line}`)))].map(({rule}) => rule), routed);
}

const values = ({intervals}: MarkPartition): readonly string[] => intervals.map(({first}) => `0x${first.toString(16)}`);

const tables: ReadonlyArray<readonly [title: string, lines: readonly string[], expected: readonly string[]]> = [
	['nobody asks', ['-p tcp'], ['0x0']],
	['one value', ['-m mark --mark 0x539'], ['0x0', '0x539']],
	['the same twice, and negated', ['-m mark --mark 0x539', '-m mark ! --mark 0x539'], ['0x0', '0x539']],
	['zero', ['-m mark --mark 0'], ['0x0', '0x1']],
	['single bits: all of their combinations', ['-m mark --mark 1/1', '-m mark --mark 2/2', '-m mark --mark 4/4', '-m mark --mark 8/8'], Array.from({length: 16}, (_, value) => `0x${value.toString(16)}`)],
	['a part of another', ['-m mark --mark 0x10/0xf0', '-m mark --mark 0x30/0x30'], ['0x0', '0x10', '0x30']],
	['bits set before they are asked for', ['-j MARK --or-mark 1', '-m mark --mark 3/3'], ['0x0', '0x2', '0x3']],
	['all bits set before they are asked for', ['-j MARK --set-mark 1', '-m mark --mark 3/3'], ['0x0', '0x3']],
	['flipped bits', ['-j MARK --xor-mark 1', '-m mark --mark 3'], ['0x0', '0x2', '0x3']],
	['the connection\'s, that no rule saves', ['-m connmark --mark 3'], ['0x0']],
	['the connection\'s, that one saves', ['-j CONNMARK --save-mark', '-m connmark --mark 3'], ['0x0', '0x3']],
];

for (const [title, lines, expected] of tables) {
	test(title, t => {
		t.deepEqual(values(intervalsOf(lines)), expected);
	});
}

test('a route\'s', t => {
	t.deepEqual(values(intervalsOf([], [{value: 0x5, mask: 0x7}])), ['0x0', '0x5']);
});

test('every mark is of one set, whose value has the same answers', t => {
	const condition = fc.tuple(
		fc.integer({min: 0, max: 0xFF_FF_FF_FF}),
		fc.constantFrom(0xFF_FF_FF_FF, 0xF0, 0x0F, 0x80_00_00_00, 0x3, 0x6),
	).map(([value, mask]) => ({value: (value & mask) >>> 0, mask}));
	fc.assert(fc.property(fc.array(condition, {minLength: 1, maxLength: 6}), fc.integer({min: 0, max: 0xFF_FF_FF_FF}), fc.nat(), fc.nat(), (conditions, any, pick, flip) => {
		const {intervals, intervalOf} = divideMarks([], conditions);
		const near = (conditions[pick % conditions.length]!.value ^ (1 << (flip % 32))) >>> 0;
		for (const mark of [any, near, ...conditions.map(({value}) => value)]) {
			const place = intervalOf(BigInt(mark));
			t.not(place, undefined);
			const like = Number(intervals[place!]!.first);
			for (const {value, mask} of conditions) {
				t.is(((mark & mask) >>> 0) === value, ((like & mask) >>> 0) === value, `${mark} is not like ${like}`);
			}
		}

		t.is(intervals[0]!.first, 0n);
		t.is(new Set(intervals.map(({first}) => intervalOf(first))).size, intervals.length);
	}), {seed: 6});
});

test('more kinds of marks than can be compared are an error', t => {
	const bits = (count: number): readonly string[] => Array.from({length: count}, (_, bit) => `-m mark --mark ${2 ** bit}/${2 ** bit}`);
	t.is(intervalsOf(bits(10)).intervals.length, markIntervalsMax);
	t.throws(() => intervalsOf(bits(11)), {name: 'InputError', message: 'The rules distinguish more than 1024 kinds of marks, which is more than can be compared. Use fewer rules with --mark, or fewer masks.'});
});
