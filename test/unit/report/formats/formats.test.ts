/** Laws of the formats: whatever a text holds, its reader gets it back, and nothing of it becomes something else. */

import {Buffer} from 'node:buffer';
import test from 'ava';
import fc from 'fast-check';
import {printGithub} from '../../../../src/report/formats/github.js';
import {printJunit} from '../../../../src/report/formats/junit.js';
import {
	bytesOf, code, commentBytesMax, printMarkdown,
} from '../../../../src/report/formats/markdown.js';
import {resultsOfRuns} from '../../../../src/report/run/results.js';
import type {ResultCase, Results} from '../../../../src/report/formats/results.js';
import {printTap} from '../../../../src/report/formats/tap.js';
import {
	complaintsAboutJunit, elementsOf, parseXml, type Element,
} from '../../../helpers/junit.js';
import {anyResults, anyText} from '../../../helpers/results.js';
import {mixed} from '../../../helpers/runs.js';

function casesOf({suites}: Results): readonly ResultCase[] {
	return suites.flatMap(({cases}) => cases);
}

/** What of a text XML can hold at all, written as a table of what it cannot. */
function inXml(text: string): string {
	return Array.from(text, character => {
		const point = character.codePointAt(0)!;
		const isForbidden = (point < 0x20 && !['\t', '\n', '\r'].includes(character)) || (point >= 0xD8_00 && point <= 0xDF_FF) || point === 0xFF_FE || point === 0xFF_FF;
		return isForbidden ? '\u{FFFD}' : character;
	}).join('');
}

const inAttribute = (text: string): string => inXml(text).replaceAll('\r\n', ' ').replaceAll(/[\r\n\t]/gu, ' ');
const inBody = (text: string): string => inXml(text).replaceAll(/\r\n?/gu, '\n');

const elementOf = {
	pass: undefined, fail: 'failure', inconclusive: 'error', unavailable: 'skipped',
} as const;

test('junit: every name, message and reason can be read again, and every outcome has its own element', t => {
	fc.assert(fc.property(anyResults, results => {
		const document = parseXml(printJunit(results));
		t.deepEqual(complaintsAboutJunit(document), []);
		t.is(document.attributes['name'], inAttribute(results.name));
		t.deepEqual(elementsOf(document, 'testsuite').map(({attributes}) => attributes['name']), results.suites.map(({name}) => inAttribute(name)));
		t.deepEqual(elementsOf(document, 'property').map(({attributes}) => [attributes['name'], attributes['value']]), results.suites.flatMap(({properties}) => Object.entries(properties).map(([key, value]) => [key, inAttribute(value)])));
		const cases = elementsOf(document, 'testcase');
		t.is(cases.length, casesOf(results).length);
		for (const [index, {name, outcome, place}] of casesOf(results).entries()) {
			const {attributes, children} = cases[index]!;
			t.is(attributes['name'], inAttribute(name));
			const [verdict, ...others] = children.filter(child => child.name !== 'system-out');
			t.is(verdict?.name, elementOf[outcome.kind]);
			t.is(others.length, 0);
			if (outcome.kind !== 'pass') {
				t.is(verdict!.attributes['message'], inAttribute(outcome.message));
			}

			if ('reasons' in outcome) {
				const at = place === undefined ? [] : [`at ${place.file}${place.line === undefined ? '' : `:${place.line}`}`];
				t.is(verdict!.text, inBody([...outcome.reasons, ...at].join('\n')));
			}
		}
	}));
});

const broken: ReadonlyArray<readonly [title: string, change: (xml: string) => string, complaint: RegExp]> = [
	['no root of its own', xml => xml.replaceAll('testsuites', 'suites'), /the root is suites/u],
	['an unknown element', xml => xml.replaceAll(/<(?<slash>\/?)failure/gu, '<$<slash>fault'), /fault stands in testcase/u],
	['a suite without a name', xml => xml.replace('testsuite name="1.20, iptables-nft"', 'testsuite'), /testsuite lacks name/u],
	['a count that is wrong', xml => xml.replace('failures="1" errors="0" skipped', 'failures="0" errors="0" skipped'), /failures is 0 and not 1/u],
	['a time that is none', xml => xml.replaceAll('time="0.412"', 'time="fast"'), /time is fast/u],
	['an attribute too many', xml => xml.replaceAll('<testcase ', '<testcase line="1" '), /testcase has line/u],
	['text where none belongs', xml => xml.replace('<properties>', '<properties>text'), /properties holds text/u],
];

test('junit: the document of a run is as its readers take it', t => {
	t.deepEqual(complaintsAboutJunit(parseXml(printJunit(resultsOfRuns(mixed)))), []);
});

for (const [title, change, complaint] of broken) {
	test(`goes red: ${title}`, t => {
		t.regex(complaintsAboutJunit(parseXml(change(printJunit(resultsOfRuns(mixed))))).join('\n'), complaint);
	});
}

test('goes red: what is not well-formed', t => {
	t.throws(() => parseXml('<testsuites><testsuite></testsuites>'));
	t.throws(() => parseXml('<testsuites name="\u0001"/>'));
});

/** The lines of Markdown that are not within a fence. */
function outsideFences(markdown: string): readonly string[] {
	let fence = 0;
	return markdown.split(/\r\n|\r|\n/u).filter(line => {
		const run = /^ {0,3}(?<ticks>`{3,})(?<info>[^`]*)$/u.exec(line)?.groups;
		const length = run?.['ticks']?.length ?? 0;
		if (fence > 0) {
			fence = length >= fence && run!['info']!.trim() === '' ? 0 : fence;
			return false;
		}

		fence = length;
		return length === 0;
	});
}

function decoded(html: string): string {
	return html.replaceAll('<br>', '\n').replaceAll(/&#(?<point>\d+);/gu, (_, point: string) => String.fromCodePoint(Number(point)));
}

const lineBreaks = /\r\n|[\r\n\u0085\u2028\u2029]/gu;

test('markdown: one row of four cells for each case, with the name in the second; every fold is closed', t => {
	fc.assert(fc.property(anyResults, results => {
		const lines = outsideFences(printMarkdown(results, {bytesMax: Number.POSITIVE_INFINITY}));
		const rows = lines.filter(line => line.startsWith('| ') && !line.startsWith('| outcome |')).map(line => line.split('|').slice(1, -1).map(cell => cell.trim()));
		t.deepEqual(rows.map(cells => cells.length), casesOf(results).map(() => 4));
		t.deepEqual(rows.map(([, name]) => decoded(/^<code>(?<text>.*)<\/code>$/u.exec(name!)!.groups!['text']!)), casesOf(results).map(({name}) => name.replaceAll(lineBreaks, '\n')));
		t.deepEqual(rows.map(([outcome]) => /pass|fail|inconclusive|unavailable/u.exec(outcome!)![0]), casesOf(results).map(({outcome}) => outcome.kind));
		t.is(lines.filter(line => line.startsWith('<details>')).length, lines.filter(line => line === '</details>').length);
	}));
});

test('markdown: no text can close the fence around it', t => {
	const reasons = ['```', '| a | b | c | d |', '`````', '</details>'];
	const text = printMarkdown({
		name: 'a', suites: [{
			name: 'b', properties: {}, cases: [{name: 'c', outcome: {kind: 'fail', message: 'No.', reasons}}], durationMs: 1,
		}], durationMs: 1,
	});
	t.is(outsideFences(text).filter(line => line.startsWith('| ')).length, 2);
	t.is(outsideFences(text).filter(line => line === '</details>').length, 1);
	t.true(text.includes(`\n\`\`\`\`\`\`text\n${reasons.join('\n')}\n\`\`\`\`\`\`\n`));
});

test('markdown: no text can format, link or mention anything', t => {
	t.is(code('a|b `c` <d> *e* _f_ [g](h) \\| "i" ~j~ $k$\nl'), '<code>a&#124;b &#96;c&#96; &#60;d&#62; &#42;e&#42; &#95;f&#95; &#91;g&#93;(h) &#92;&#124; &#34;i&#34; &#126;j&#126; &#36;k&#36;<br>l</code>');
	fc.assert(fc.property(anyText, text => {
		t.notRegex(code(text).replaceAll('<br>', '').slice('<code>'.length, -'</code>'.length), /[<>|`*_[\]\\\r\n]/u);
	}));
});

function manyCases(count: number, kind: 'pass' | 'fail'): Results {
	const outcome: ResultCase['outcome'] = kind === 'pass' ? {kind} : {kind, message: 'No.', reasons: ['Because → it is so.']};
	const cases = Array.from({length: count}, (_, index): ResultCase => ({
		name: `case ${index}`, outcome, expected: 'app → proxy:15001', observed: 'app', notes: [['path', 'app > OUTPUT#1']],
	}));
	return {
		name: 'many',
		suites: [{
			name: 'all', properties: {rules: 'x'}, cases: [...cases, {name: 'bad', outcome: {kind: 'fail', message: 'No.', reasons: ['It is bad.']}}], durationMs: 1,
		}],
		durationMs: 1,
	};
}

for (const [count, kind, omitted] of [
	[10, 'pass', undefined],
	[450, 'pass', 'the details of what passed'],
	[300, 'fail', 'all details'],
	[2000, 'pass', 'what passed, and all details'],
	[2000, 'fail', 'all cases'],
] as const) {
	test(`markdown: ${count} cases that ${kind} fit a comment, without ${omitted ?? 'nothing'}`, t => {
		const text = printMarkdown(manyCases(count, kind));
		t.true(Buffer.byteLength(text) <= commentBytesMax);
		t.is(/To keep this short, (?<what>.*) had to be left out/u.exec(text)?.groups?.['what'], omitted);
		t.is(text.includes('<code>bad</code>'), omitted !== 'all cases');
		t.regex(text, kind === 'pass' ? new RegExp(`${count} passed, 1 failed`, 'u') : new RegExp(`0 passed, ${count + 1} failed`, 'u'));
	});
}

test('the bytes of a text are those of UTF-8', t => {
	fc.assert(fc.property(fc.string({unit: 'binary'}), text => {
		t.is(bytesOf(text), Buffer.byteLength(text));
	}));
});

/** A line as the runner of GitHub Actions reads it (actions/runner, ActionCommand). */
function readCommand(line: string): {readonly command: string; readonly properties: Readonly<Record<string, string>>; readonly data: string} {
	const end = line.indexOf('::', 2);
	const [command = '', properties = ''] = line.slice(2, end).split(/ (?<rest>.*)/su);
	const unescape = (text: string, names: readonly string[]): string => {
		let value = text;
		for (const name of [...names, '25']) {
			value = value.replaceAll(`%${name}`, String.fromCodePoint(Number.parseInt(name, 16)));
		}

		return value;
	};

	return {
		command,
		properties: Object.fromEntries(properties.split(',').map(pair => {
			const at = pair.indexOf('=');
			return [pair.slice(0, at), unescape(pair.slice(at + 1), ['0D', '0A', '3A', '2C'])];
		})),
		data: unescape(line.slice(end + 2), ['0D', '0A']),
	};
}

const commandOf = {fail: 'error', inconclusive: 'warning', unavailable: 'notice'} as const;

test('github: one command for each case that did not pass, which the runner reads as intended', t => {
	fc.assert(fc.property(anyResults, results => {
		const lines = printGithub(results).split(/\r\n|\r|\n/u);
		const bad = results.suites.flatMap(suite => suite.cases.map(own => ({...own, suite: suite.name}))).filter(({outcome}) => outcome.kind !== 'pass');
		t.is(lines.length, bad.length + 2);
		t.regex(lines.at(-2)!, /^\d+ passed, \d+ failed, \d+ inconclusive$/u);
		for (const [index, {name, suite, outcome, expected, observed, place}] of bad.entries()) {
			const {command, properties, data} = readCommand(lines[index]!);
			t.is(command, commandOf[outcome.kind as keyof typeof commandOf]);
			t.deepEqual(properties, {
				...(place === undefined ? {} : {file: place.file}),
				...(place?.line === undefined ? {} : {line: String(place.line)}),
				title: name === suite ? name : `${name} (${suite})`,
			});
			const words = 'reasons' in outcome ? outcome.reasons : (outcome.kind === 'unavailable' ? [outcome.message] : []);
			t.is(data, [...words, ...(expected === undefined ? [] : [`expected: ${expected}`]), ...(observed === undefined ? [] : [`observed: ${observed}`])].join('\n'));
		}
	}));
});

test('tap: one point for each case, with `not ok` if it failed or is inconclusive', t => {
	fc.assert(fc.property(anyResults, results => {
		for (const suite of results.suites) {
			const points = printTap({...results, suites: [suite]}).split(/[\r\n]/u).filter(line => /^(?:not )?ok /u.test(line));
			t.deepEqual(points.map(line => line.startsWith('ok')), suite.cases.map(({outcome}) => outcome.kind === 'pass' || outcome.kind === 'unavailable'));
			t.deepEqual(points.map(line => line.includes(' # SKIP')), suite.cases.map(({outcome}) => outcome.kind === 'unavailable'));
		}
	}));
});

test('elements of a name are found at any depth', t => {
	const pathCondition = (name: string): Element => ({
		name, attributes: {}, children: [], text: '',
	});
	t.is(elementsOf({...pathCondition('a'), children: [{...pathCondition('b'), children: [pathCondition('c'), pathCondition('b')]}]}, 'b').length, 2);
});
