import test from 'ava';
import fc from 'fast-check';
import {textWidth, wrapText, type Type} from '../../../src/drawing/text-measure.js';

const types: readonly Type[] = [{face: 'sans', size: 12}, {face: 'bold', size: 13}, {face: 'mono', size: 11.5}];

test('wrapping: no line is wider than asked, unless one character alone is, and nothing is lost', t => {
	fc.assert(fc.property(fc.string({unit: 'grapheme', maxLength: 200}), fc.integer({min: 5, max: 400}), fc.constantFrom(...types), (text, width, type) => {
		const lines = wrapText(text, width, type);
		t.true(lines.length > 0);
		t.is(lines.join('').replaceAll(/\s/gu, ''), text.replaceAll(/\s/gu, ''));
		for (const line of lines) {
			t.true(textWidth(line, type) <= width || [...line].length === 1, line);
		}
	}));
});

test('a width grows with the text and the size, and no character is without one', t => {
	fc.assert(fc.property(fc.string({unit: 'grapheme', minLength: 1}), fc.constantFrom(...types), (text, type) => {
		t.true(textWidth(text, type) > 0);
		t.true(textWidth(`${text}i`, type) > textWidth(text, type));
		t.is(Math.round(textWidth(text, {...type, size: type.size * 2}) * 1000), Math.round(textWidth(text, type) * 2000));
	}));
});

for (const [title, text, width, lines] of [
	['words stand together as long as they fit', 'one two three', 52, ['one two', 'three']],
	['a long word breaks behind a mark of its own', 'istio-output-dns', 80, ['istio-', 'output-dns']],
	['a long word without a mark breaks at the end', 'ABCDEFGHIJKLMN', 60, ['ABCDEFGH', 'IJKLMN']],
	['nothing is one line', '', 60, ['']],
] as const) {
	test(title, t => {
		t.deepEqual(wrapText(text, width, {face: 'mono', size: 12}), lines);
	});
}
