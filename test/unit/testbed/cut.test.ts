/** Long lists: the beginning and a count of the rest, never less than specified, and everything with --verbose. */

import test from 'ava';
import fastCheck from 'fast-check';
import {printError, TestbedError} from '../../../testbed/errors.js';
import {cutList, cutText, describeRest, listMax} from '../../../src/report/terminal/cut.js';
import {createPainter} from '../../../src/report/terminal/colors.js';
import {printGaps, printHints} from '../../../src/report/terminal/head.js';

const style = {paint: createPainter(false), width: 80};
const names = Array.from({length: 1000}, (_, index) => `OUTPUT#${index + 1}`);

test('a text that fits stays as it is', t => {
	t.is(cutText('a, b, c'), 'a, b, c');
	t.is(cutText('x'.repeat(480)), 'x'.repeat(480));
});

test('a long list ends behind an item, with the number of the others', t => {
	t.is(cutText(names.join(', '), {max: 30}), 'OUTPUT#1, OUTPUT#2, OUTPUT#3 and 997 more (--verbose shows all)');
	t.is(cutText(names.join('; '), {max: 30, more: ''}), 'OUTPUT#1; OUTPUT#2; OUTPUT#3 and 997 more');
});

test('a long word is cut, and no character of two units is broken', t => {
	t.is(cutText('x'.repeat(50), {max: 20}), `${'x'.repeat(20)}… and 30 more characters (--verbose shows all)`);
	fastCheck.assert(fastCheck.property(fastCheck.string({unit: 'grapheme', minLength: 30}), text => !/\p{Cs}/u.test(cutText(text, {max: 20}))));
});

test('many hints: the first, and how many more there are; with verbose all of them, whole', t => {
	const hints = names.map(name => `${name} is new. ${names.join(', ')}`);
	const lines = printHints(hints, {...style, verbose: false});
	t.is(lines.at(-1), '  990 more hints; --verbose shows all');
	t.true(lines.length <= (listMax * 9) + 1, String(lines.length));
	const whole = printHints(hints, {...style, verbose: true}).join(' ');
	t.true(whole.includes('OUTPUT#1000'));
	t.false(whole.includes('--verbose'));
});

test('one item more than the limit is shown, since a line about it would be as long', t => {
	const print = (count: number): readonly string[] => cutList(names.slice(0, count), {isWhole: false, print: name => [name], rest: left => describeRest(left, 'rules')});
	t.deepEqual(print(listMax + 1), names.slice(0, listMax + 1));
	t.deepEqual(print(listMax + 2), [...names.slice(0, listMax), '2 more rules; --verbose shows all']);
});

test('gaps are cut alike', t => {
	const gaps = names.map(name => ({kind: 'no-end' as const, message: `${name} had no end.`}));
	t.is(printGaps(gaps, {...style, verbose: false}).at(-1), '    990 more gaps; --verbose shows all');
	t.is(printGaps(gaps, {...style, verbose: true}).length, 1000);
});

test('the message of an error is a screen at most', t => {
	const text = printError(new TestbedError('INPUT', {message: [...names, ...names].join(', '), hint: 'Do this.'}));
	t.true(text.length < 4100, String(text.length));
	t.regex(text, /and \d+ more\n→ Do this\.$/u);
});
