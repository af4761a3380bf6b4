import test from 'ava';
import {
	hang, paragraph, piecesOfRule, wrap,
} from '../../../../src/report/terminal/wrap.js';

test('a rule is broken before its flags', t => {
	t.deepEqual(piecesOfRule('! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport 15008 -m owner ! --uid-owner 1337 -j RETURN'), [
		'! -d 127.0.0.1/32', '-o lo', '-p tcp', '-m tcp', '! --dport 15008', '-m owner', '! --uid-owner 1337', '-j RETURN',
	]);
	t.deepEqual(piecesOfRule(''), ['']);
	t.deepEqual(piecesOfRule('-m multiport --dports 1,2'), ['-m multiport', '--dports 1,2']);
});

for (const [title, pieces, room, expected] of [
	['what fits stays', ['ab', 'cd'], 5, ['ab cd']],
	['what does not goes on', ['ab', 'cd'], 4, ['ab', 'cd']],
	['a long piece is split at its spaces', ['ab cd ef'], 5, ['ab cd', 'ef']],
	['a long word is split anywhere', ['abcdefg', 'h'], 3, ['abc', 'def', 'g h']],
	['nothing is no line', [], 3, []],
] as ReadonlyArray<readonly [string, readonly string[], number, readonly string[]]>) {
	test(`wrap: ${title}`, t => {
		t.deepEqual(wrap(pieces, room), expected);
	});
}

test('a text hangs beside its label', t => {
	t.deepEqual(hang({
		indent: 2, label: 'a', column: 4, text: 'one two three four five six', width: 22,
	}), ['  a   one two three', '      four five six']);
});

test('a label that is too long has a line of its own', t => {
	t.deepEqual(hang({
		indent: 2, label: 'long', column: 4, text: 'one', width: 40,
	}), ['  long', '      one']);
});

test('a label without text has no trailing blanks', t => {
	t.deepEqual(hang({
		indent: 1, label: 'a', column: 4, text: [], width: 40,
	}), [' a']);
});

test('a paragraph is indented', t => {
	t.deepEqual(paragraph('one two three four', {indent: 2, width: 18}), ['  one two three', '  four']);
});
