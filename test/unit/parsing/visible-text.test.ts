/** Nothing that comes in acts on the terminal of who reads what comes out. */

import test from 'ava';
import fastCheck from 'fast-check';
import {createPainter} from '../../../src/report/terminal/colors.js';
import {visibleForeign, visibleText} from '../../../src/parsing/visible-text.js';

const acting = ['\u001B', '\u0007', '\b', '\r', '\u0000', '\u007F', '\u0085', '\u009B', '\u061C', '\u200E', '\u200F', '\u2028', '\u2029', ...'\u202A\u202B\u202C\u202D\u202E', ...'\u2066\u2067\u2068\u2069', '\uFEFF'];
const ownStyle = /\u001B\[(?:1|2|22|31|32|33|36|39)m/gu; // eslint-disable-line no-control-regex -- Styles begin with one.
const isActing = (character: string): boolean => {
	const code = character.codePointAt(0)!;
	return (code < 32 && character !== '\n' && character !== '\t') || (code > 126 && code < 160) || acting.includes(character);
};

const anyText = fastCheck.oneof(
	fastCheck.string({unit: 'binary', maxLength: 30}),
	fastCheck.array(fastCheck.oneof(fastCheck.constantFrom(...acting, '\u001B[31m', '\u001B[2J', '\u001B[0m', '\u001B]0;x\u0007', 'a', '\n', '[1m', '✔')), {maxLength: 12}).map(parts => parts.join('')),
);

test('control characters are made visible, all others stay', t => {
	for (const character of acting) {
		t.is(visibleText(`a${character}b`), `a\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}b`);
	}

	t.is(visibleText('a\tb\nc ü 日本 ✔ →'), 'a\tb\nc ü 日本 ✔ →');
	t.is(visibleText('\u001B[2J\u001B[31;1m\u001B[0m'), String.raw`\u001b[2J\u001b[31;1m\u001b[0m`);
});

test('the program\'s own colors stay, and foreign text has none', t => {
	const painter = createPainter(true);
	for (const paint of Object.values(painter)) {
		const painted = paint('text');
		t.is(visibleText(painted), painted);
		t.false(visibleForeign(painted).includes('\u001B'));
	}
});

test('whatever the input is, the output has no control characters except styles', t => {
	fastCheck.assert(fastCheck.property(anyText, text => {
		t.false([...visibleForeign(text)].some(character => isActing(character)));
		t.false([...visibleText(text).replaceAll(ownStyle, '')].some(character => isActing(character)));
		t.is(visibleText(visibleText(text)), visibleText(text));
	}), {numRuns: 3000});
});

test('JSON stays JSON and says the same', t => {
	fastCheck.assert(fastCheck.property(fastCheck.dictionary(anyText, anyText), value => {
		const printed = visibleForeign(JSON.stringify(value, undefined, 2));
		t.is(JSON.stringify(JSON.parse(printed)), JSON.stringify(JSON.parse(JSON.stringify(value, undefined, 1))));
		t.false([...printed].some(character => isActing(character)));
	}), {numRuns: 2000});
});
