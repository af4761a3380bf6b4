/** Lessons as files: what they come to, and every way in which they can be wrong, with its place. */

import test from 'ava';
import {InputError} from '../../../src/parsing/input-error.js';
import {readMarkdown} from '../../../src/lessons/markdown.js';
import {nameOfFile, parseLesson} from '../../../src/lessons/parse.js';
import {lessonJsonSchema} from '../../../src/lessons/schema.js';
import {lessonText, plainStep} from '../../helpers/lessons.js';

const stepWith = (from: string, to: string): string => {
	if (!plainStep.includes(from)) {
		throw new Error(`the step does not say ${from}`);
	}

	return lessonText({steps: plainStep.replace(from, to)});
};

test('a complete file', t => {
	const {text, steps, ending, ...rest} = parseLesson(lessonText({
		steps: `${plainStep}
  - text: Now from inside.
    setup: {rules: none, family: ipv6, proxy: {uid: 7}}
    traffic: {connections: [{name: a, to: 'pod:80'}, {name: b, to: 'pod:81', uid: 3}]}
    show: [ISTIO_OUTPUT]
    question: Who?
    asks: {what: listener, of: b, leg: 2, choices: ['app:80', nobody]}
    writtenFor: nobody
    ending: Nobody.`,
	}), 'lessons/07-test.md');
	t.deepEqual(rest, {
		name: 'test', number: 7, title: 'A title', part: 'A part', minutes: 2,
	});
	t.deepEqual(text, [{kind: 'paragraph', spans: [{kind: 'text', text: 'Shown first.'}]}]);
	t.is(ending.length, 1);
	t.is(steps.length, 2);
	const [first, second] = steps;
	t.deepEqual(first!.setup, {rules: 'release:1.30'});
	t.deepEqual(first!.writtenFor, ['9']);
	t.is(first!.hints.length, 2);
	t.deepEqual(second!.setup, {rules: 'none', family: 'ipv6', proxy: {uid: 7}});
	t.deepEqual(second!.show, ['ISTIO_OUTPUT']);
	t.deepEqual(second!.hints, []);
	t.deepEqual(second!.asks, {
		what: 'listener', of: 'b', leg: 2, choices: ['app:80', 'nobody'],
	});
});

test('lines with carriage returns and a byte order mark are read', t => {
	t.is(parseLesson(`\uFEFF${lessonText().replaceAll('\n', '\r\n')}`, 'a.md').title, 'A title');
});

test('names of files', t => {
	t.deepEqual(nameOfFile('lessons/07-hairpin.md'), {name: 'hairpin', number: 7});
	t.deepEqual(nameOfFile('own.md'), {name: 'own', number: undefined});
	t.deepEqual(nameOfFile('1337.md'), {name: '1337', number: undefined});
});

const asksOf = (asks: string, {writtenFor = '9', traffic = '{types: ["2"]}'}: {readonly writtenFor?: string; readonly traffic?: string} = {}): string => lessonText({
	steps: `  - traffic: ${traffic}\n    question: Q?\n    asks: ${asks}\n    writtenFor: ${writtenFor}\n    ending: E.`,
});

const two = '{connections: [{name: a, to: "pod:80"}, {name: b, to: "pod:81"}]}';

const wrong: ReadonlyArray<readonly [title: string, text: string, message: string]> = [
	['no front matter', '# A title\n', 'line 1: a lesson begins with a line of ---, followed by its front matter'],
	['a front matter without an end', '---\nversion: 1\n', 'line 1: the front matter is not closed; end it with a line of ---'],
	['an empty front matter', '---\n---\ntext\n', 'line 2, column 1: the front matter is empty'],
	['a front matter of something else', '---\nlayout: post\n---\ntext\n', 'line 2, column 1: this is not a lesson, which has the keys version, title, part, minutes, setup, steps, ending'],
	['a front matter that is no mapping', '---\n- a\n---\ntext\n', 'line 2, column 1: this is not a lesson, which has the keys version, title, part, minutes, setup, steps, ending'],
	['a later version', lessonText({head: 'version: 2\ntitle: T\npart: P\nminutes: 1'}), 'line 2, column 1, version: version 2 is not known; this testbed reads version 1'],
	['no version', lessonText({head: 'title: T\npart: P\nminutes: 1'}), 'line 2, column 1: "version" is missing; expected a whole number: the version of the format: 1'],
	['a key that is not known', lessonText({head: 'version: 1\ntitel: T\npart: P\nminutes: 1'}), 'line 3, column 1: "titel" is not known; did you mean "title"?'],
	['minutes that are none', lessonText({head: 'version: 1\ntitle: T\npart: P\nminutes: 90'}), 'line 5, column 1, minutes: this is 90; expected a whole number from 1 to 60'],
	['two YAML documents', lessonText({head: 'version: 1\n...\nversion: 1\ntitle: T\npart: P\nminutes: 1'}), 'line 4, column 1: the front matter must be one YAML document; this is a second one'],
	['no text below it', lessonText({body: ''}), 'line 16: there is no text after the front matter; write the introduction below the second ---'],
	['a question of no kind', asksOf('{what: rul, chain: C}'), 'line 10, column 12, steps[0].asks.what: this is "rul"; expected one of rule, listener, stops, end, source, failing, bypassing, unmatched, fix; did you mean "rule"?'],
	['a rule without a chain', asksOf('{what: rule}'), 'line 10, column 5, steps[0].asks: "steps[0].asks.chain" is missing; expected the name of a chain: ISTIO_OUTPUT: the chain'],
	['one choice', asksOf('{what: listener, choices: [nobody]}', {writtenFor: 'nobody'}), 'line 10, column 28, steps[0].asks.choices: this is a list; expected a list of listeners with at least 2 items'],
	['a listener that is none', asksOf('{what: listener, choices: [proxy, nobody]}', {writtenFor: 'nobody'}), 'line 10, column 38, steps[0].asks.choices[0]: this is "proxy"; expected a listener, its actor and port (proxy:15001), or nobody'],
	['a choice twice', asksOf('{what: listener, choices: [nobody, "app:80", nobody]}', {writtenFor: 'nobody'}), 'line 10, column 56, steps[0].asks.choices[2]: "nobody" is in the list already; every choice must be unique'],
	['a type twice', asksOf('{what: failing}', {writtenFor: '[]', traffic: '{types: ["2", "3", "2"]}'}), 'line 8, column 33, steps[0].traffic.types[2]: "2" is sent twice in this step; every name must be unique'],
	['a connection twice', asksOf('{what: bypassing}', {writtenFor: '[]', traffic: two.replace('name: b', 'name: a')}), 'line 8, column 54, steps[0].traffic.connections[1]: "a" is sent twice in this step; every name must be unique'],
	['failing connections', asksOf('{what: failing}', {writtenFor: '[]', traffic: two}), 'line 10, column 12, steps[0].asks.what: only types have an expected path; use "failing" with traffic: {types: …}'],
	['fixed connections', asksOf('{what: fix, choices: [{text: a}, {text: b}]}', {writtenFor: '[a]', traffic: two}), 'line 10, column 12, steps[0].asks.what: only types have an expected path; use "fix" with traffic: {types: …}'],
	['one connection that may bypass', asksOf('{what: bypassing}', {writtenFor: '[]'}), 'line 8, column 5, steps[0].traffic: "bypassing" needs at least two connections to choose from'],
	['a connection that is not sent', asksOf('{what: rule, chain: C, of: aa}', {traffic: two}), 'line 10, column 34, steps[0].asks.of: this step does not send "aa"; known: a, b'],
	['one of several that is not named', asksOf('{what: rule, chain: C}', {traffic: two}), 'line 10, column 5, steps[0].asks: the step sends 2 connections; name the one that the question is about, for example of: "a"'],
	['traffic that is none', asksOf('{what: rule, chain: C}', {traffic: '{packets: 3}'}), 'line 8, column 15: "steps[0].traffic.packets" is not known; known: types, connections'],
	['no traffic', asksOf('{what: rule, chain: C}', {traffic: '{}'}), 'line 8, column 5, steps[0].traffic: a step sends either types or connections, but this one sends neither'],
	['types and connections', asksOf('{what: rule, chain: C}', {traffic: two.replace('{', '{types: ["1"], ')}), 'line 8, column 5, steps[0].traffic: a step sends either types or connections, but this one sends both'],
	['a type without quotes', asksOf('{what: rule, chain: C}', {traffic: '{types: [2]}'}), 'line 8, column 23, steps[0].traffic.types[0]: this is 2; expected the id of a type of traffic in quotes: "2"'],
	['a list for one answer', stepWith('writtenFor: 9', 'writtenFor: [9]'), 'line 11, column 5, steps[0].writtenFor: "rule" takes one answer, not a list'],
	['one word for a list', asksOf('{what: unmatched, chain: C}'), 'line 11, column 5, steps[0].writtenFor: "unmatched" takes a list; write [9]'],
	['an answer that cannot be chosen', asksOf('{what: listener, choices: [nobody, "app:80"]}', {writtenFor: 'app:81'}), 'line 11, column 5, steps[0].writtenFor: "app:81" is not one of the choices; did you mean "app:80"?'],
	['a rule that is no number', stepWith('writtenFor: 9', 'writtenFor: nine'), 'line 11, column 5, steps[0].writtenFor: expected the number of a rule, no-match or not-entered'],
	['an unmatched rule that is no number', asksOf('{what: unmatched, chain: C}', {writtenFor: '[no-match]'}), 'line 11, column 5, steps[0].writtenFor: expected numbers of rules'],
	['HTML in a question', stepWith('Which rule decides?', '"Which <b>rule</b>?"'), 'line 9, column 5, steps[0].question: lessons do not support HTML; use text, and code in backquotes'],
	['HTML in the text', lessonText({body: 'One.\n\n<script>alert(1)</script>'}), 'line 19: lessons do not support HTML; use text, and code in backquotes'],
	['a control character', lessonText({head: 'version: 1\ntitle: "a\\e[2J"\npart: P\nminutes: 1'}), 'line 3, column 1, title: the control character U+001B, which is not allowed in text'],
];

for (const [title, text, message] of wrong) {
	test(`refused: ${title}`, t => {
		t.is(t.throws(() => parseLesson(text, 'x.md'), {instanceOf: InputError}).message, message);
	});
}

test('Markdown: everything that lessons may use', t => {
	t.deepEqual(readMarkdown('# Head\n\nOne `-j RETURN`\ntwo **three** [four](https://example.com/).\n\n- a\n- b\n  more\n1. c\n\n```\n<b> *\n\n```\nlast'), [
		{kind: 'heading', spans: [{kind: 'text', text: 'Head'}]},
		{
			kind: 'paragraph', spans: [
				{kind: 'text', text: 'One '}, {kind: 'code', text: '-j RETURN'}, {kind: 'text', text: ' two '}, {kind: 'strong', text: 'three'}, {kind: 'text', text: ' '}, {kind: 'link', text: 'four', href: 'https://example.com/'}, {kind: 'text', text: '.'},
			],
		},
		{kind: 'list', isNumbered: false, items: [[{kind: 'text', text: 'a'}], [{kind: 'text', text: 'b more'}]]},
		{kind: 'list', isNumbered: true, items: [[{kind: 'text', text: 'c'}]]},
		{kind: 'code', lines: ['<b> *', '']},
		{kind: 'paragraph', spans: [{kind: 'text', text: 'last'}]},
	]);
});

for (const [title, text, message] of [
	['an image', 'a ![b](c.png)', 'line 1: lessons do not support images; the drawings are made from packets'],
	['a table', 'a\n\n| b |', 'line 3: lessons do not support tables; use a list'],
	['a quotation', '> a', 'line 1: lessons do not support quotations; use a paragraph'],
	['emphasis', 'an *old* word', 'line 1: lessons do not support emphasis with * or _; use **strong**, or code in backquotes'],
	['code without an end', 'a\n```\nb', 'line 2: this code block is not closed; end it with a line of ```'],
	['a link to elsewhere', '[a](javascript:alert)', 'line 1: links must go to https:// or to a page of the project, but this one goes to "javascript:alert"'],
] as const) {
	test(`Markdown, refused: ${title}`, t => {
		t.is(t.throws(() => readMarkdown(text), {instanceOf: InputError}).message, message);
	});
}

test('the JSON Schema knows every key', t => {
	const {properties, required} = lessonJsonSchema() as {properties: Record<string, unknown>; required: readonly string[]};
	t.deepEqual(Object.keys(properties), ['version', 'title', 'part', 'minutes', 'setup', 'steps', 'ending']);
	t.deepEqual([...required], Object.keys(properties));
});
