import {existsSync, readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {
	blocksOf, complaintAboutOutput, complaintsAboutShape, PageError, readShape,
} from '../../helpers/documents.js';
import {anchorsOf, complaintsAboutLinks} from '../../helpers/links.js';
import {root} from './_setup.js';

const fenced = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\``;

test('a page is read as blocks, each with its marks', t => {
	const page = [
		'# Page', '', '<!-- before: touch file -->', fenced('console', '$ cat \\\n  file\none\n…\n$ false'.replace('$ false', '$ true')),
		'', '<!-- status: 1 or 2 -->', fenced('sh', 'false\n\ntrue \\\n  false'), '<!-- not run: needs a cluster -->', fenced('sh', 'kubectl'),
		fenced('yaml', 'name: x\nprobes: []'), fenced('js', 'run();'), '<!-- keys of: echo {} -->', fenced('jsonc', '{}'), '<!-- same as: LICENSE -->', fenced('text', 'x'),
	].join('\n');
	const blocks = blocksOf(page, 'page.md');
	t.deepEqual(blocks.map(({kind}) => kind), ['commands', 'commands', 'not-run', 'scenario', 'program', 'keys', 'copy']);
	const [first, second] = blocks;
	t.deepEqual(first?.before, ['touch file']);
	t.true(first?.kind === 'commands' && second?.kind === 'commands');
	if (first?.kind === 'commands' && second?.kind === 'commands') {
		t.deepEqual(first.commands, [
			{text: 'cat file', line: 5, statuses: [0], output: ['one', '…']},
			{text: 'true', line: 9, statuses: [0], output: []},
		]);
		t.deepEqual(second.commands.map(({text, statuses, output}) => ({text, statuses, output})), [
			{text: 'false', statuses: [1, 2], output: undefined},
			{text: 'true false', statuses: [1, 2], output: undefined},
		]);
	}
});

for (const [what, page, message] of [
	['a block without a language', fenced('', 'x'), /page\.md:1: nobody knows how to try a block of ""/u],
	['a language that nobody runs', fenced('text', 'x'), /Say why it is not/u],
	['YAML that is no scenario', fenced('yaml', 'jobs: {}'), /nobody knows/u],
	['a mark with a typo', `<!-- not runs: later -->\n${fenced('sh', 'x')}`, /is not a mark/u],
	['a mark without a reason', `<!-- not run: -->\n${fenced('sh', 'x')}`, /is not a mark/u],
	['a mark before something else', `<!-- not run: x -->\n\nText.\n\n${fenced('sh', 'x')}`, /has no block/u],
	['a mark at the end', '<!-- status: 1 -->', /has no block/u],
	['a status that is none', `<!-- status: red -->\n${fenced('sh', 'x')}`, /not a list of exit statuses/u],
	['more statuses than commands', `<!-- status: 0, 1 -->\n${fenced('sh', 'x')}`, /1 commands and 2 exit statuses/u],
	['an output before any command', fenced('console', 'x'), /begins with "\$ "/u],
	['an empty block', fenced('sh', ''), /0 commands/u],
	['a block that is not closed', '```sh\nx', /line 1 is not closed/u],
	['a fence that is indented', '- item\n  ```sh\n  x\n  ```', /at the beginning of its line/u],
] as const) {
	test(`goes red: ${what}`, t => {
		const error = t.throws(() => blocksOf(page, 'page.md'), {instanceOf: PageError});
		t.regex(error.message, message);
	});
}

for (const [what, shown, printed, isSame] of [
	['the same lines', ['a', 'b'], 'a\nb\n', true],
	['nothing', [], '', true],
	['lines that are left out', ['a', '…', 'd'], 'a\nb\nc\nd\n', true],
	['no lines where some may be', ['a', '…', 'b'], 'a\nb\n', true],
	['text that is left out', ['a … d', '…'], 'a (b) c d\n', true],
	['letters that mean something to a pattern', ['a.b* (c) [d] $'], 'a.b* (c) [d] $\n', true],
	['blanks at the end', ['a', ''], 'a  \n\n', true],
	['a dot is only a dot', ['a.b'], 'axb\n', false],
	['another line', ['a', 'c'], 'a\nb\n', false],
	['a line too much', ['a'], 'a\nb\n', false],
	['a line too few', ['a', 'b'], 'a\n', false],
	['something where nothing is shown', [], 'a\n', false],
] as const) {
	test(`output, ${what}: ${isSame ? 'the same' : 'differs'}`, t => {
		t.is(complaintAboutOutput(shown, printed) === undefined, isSame, complaintAboutOutput(shown, printed));
	});
}

test('JSON with comments is read, and a // in a text is no comment', t => {
	t.deepEqual(readShape('{"a": "http://x", // why\n"b": [] // none\n}'), {a: 'http://x', b: []});
});

for (const [what, shape, document, complaints] of [
	['the same keys', {a: 1, b: {c: 'x'}}, {a: 2, b: {c: 'y'}}, []],
	['what is described elsewhere', {a: {}, b: []}, {a: {c: 1}, b: [1]}, []],
	['null for anything', {a: null, b: {c: 1}}, {a: 1, b: null}, []],
	['a list of two shapes', {a: [{b: 1}, {c: 1}]}, {a: [{c: 2}, {b: 2}]}, []],
	['a key that is not there', {a: 1, b: 1}, {a: 1}, ['$.b is shown, and the document does not have it']],
	['a key that is not shown', {a: {b: 1}}, {a: {b: 1, c: 1}}, ['$.a.c is in the document, and not shown']],
	['another type', {a: [1]}, {a: ['x']}, ['$.a[0] is a string, not a number']],
] as const) {
	test(`shape, ${what}`, t => {
		t.deepEqual(complaintsAboutShape(shape, document), complaints);
	});
}

const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'ARCHITECTURE.md', 'test/README.md', ...readdirSync(path.join(root, 'docs')).map(name => `docs/${name}`)];

for (const file of pages) {
	test(`${file}: every link leads to something`, t => {
		t.true(existsSync(path.join(root, file)));
		t.deepEqual(complaintsAboutLinks(readFileSync(path.join(root, file), 'utf8'), {file, root}), []);
	});
}

test('goes red: a link to no file, and one to no heading', t => {
	const page = '# One `two`, three\n[a](none.md) [b](#one-two-three) [c](#four) [d](LICENSE) [e](https://example.org/none)';
	t.deepEqual([...anchorsOf(page)], ['one-two-three']);
	t.deepEqual(complaintsAboutLinks(page, {file: 'README.md', root}), ['README.md: there is no none.md (none.md).', 'README.md: README.md has no heading #four.']);
});

test('README.md has at most 120 lines, and the glossary at most 25 words', t => {
	t.true(readFileSync(path.join(root, 'README.md'), 'utf8').trimEnd().split('\n').length <= 120);
	const words = readFileSync(path.join(root, 'docs/glossary.md'), 'utf8').split('\n').filter(line => line.startsWith('| ') && !line.startsWith('| term '));
	t.true(words.length > 10 && words.length <= 25, `${words.length} words`);
});

test('every page of docs/ can be reached from README.md', t => {
	const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
	t.deepEqual(readdirSync(path.join(root, 'docs')).filter(name => !readme.includes(`(docs/${name})`)), []);
});
