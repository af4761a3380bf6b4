import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';
import fastCheck from 'fast-check';
import {importRules} from '../../../../src/netfilter/import/import-rules.js';
import {ParseError, printSave} from '../../../../src/netfilter/iptables/save.js';
import {mangleOf, randomRule} from '../../../helpers/random-rules.js';
import {root} from '../../../helpers/root.js';

const folder = new URL('test/fixtures/dumps/', root);
const fixtures = readdirSync(folder).filter(name => name !== 'README.md').map(name => readFileSync(new URL(name, folder), 'utf8').split('\n'));

/** Something that happens to a text on its way: a line lost, doubled, cut, moved, garbled, or put in from elsewhere. */
const damage = fastCheck.tuple(fastCheck.constantFrom('lose', 'double', 'cut', 'move', 'garble', 'insert'), fastCheck.nat(), fastCheck.nat(), fastCheck.string({unit: 'binary', maxLength: 12}));

function damaged(lines: readonly string[], [how, place, other, text]: readonly [string, number, number, string]): readonly string[] {
	const index = place % lines.length;
	const line = lines[index] ?? '';
	const from = other % (line.length + 1);
	const changed = {
		lose: [], double: [line, line], interval: [line.slice(0, from)], move: [], garble: [line.slice(0, from) + text + line.slice(from + text.length)], insert: [line, text],
	}[how] ?? [];
	const rest = lines.toSpliced(index, 1, ...changed);
	return how === 'move' ? rest.toSpliced(other % lines.length, 0, line) : rest;
}

test('law: any text is read, or refused with one of its lines', t => {
	fastCheck.assert(fastCheck.property(fastCheck.constantFrom(...fixtures), fastCheck.array(damage, {maxLength: 3}), (lines, damages) => {
		let list: readonly string[] = lines;
		for (const one of damages) {
			list = list.length === 0 ? list : damaged(list, one);
		}

		const text = list.join('\n');
		try {
			importRules(text);
		} catch (error) {
			if (!(error instanceof ParseError)) {
				throw error;
			}

			t.true(error.line >= 1 && error.line <= text.split('\n').length, error.message);
			t.true(error.reason.length > 0);
		}
	}), {numRuns: 300});
	t.pass();
});

test('law: both families in one text are separated again', t => {
	const dump = (family: 'ipv4' | 'ipv6') => fastCheck.array(randomRule(family), {minLength: 1, maxLength: 5}).map(rules => mangleOf([...rules, `-s ${family === 'ipv4' ? '10.0.0.1/32' : '2001:db8::1/128'} -j RETURN`]));
	fastCheck.assert(fastCheck.property(dump('ipv4'), dump('ipv6'), fastCheck.boolean(), (four, six, isFirst) => {
		const {ruleSet, warnings} = importRules(isFirst ? four + six : six + four);
		t.is(printSave(ruleSet, 'ipv4'), four);
		t.is(printSave(ruleSet, 'ipv6'), six);
		t.deepEqual(warnings, []);
	}));
});
