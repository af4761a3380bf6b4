/** Runs what README.md and docs/ show, exactly as written. */

import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';
import {blocksOf} from '../helpers/documents.js';
import {tryPage, type PageResult} from './_pages.js';

/** Written by programs, and compared with what those would write by other tests; without a command to run. */
const generated = new Set(['docs/reference.md', 'docs/machines.md', 'docs/reliability.md', 'docs/what-moved.md']);

const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync('docs').filter(name => name.endsWith('.md')).map(name => `docs/${name}`)].filter(file => !generated.has(file));
const results: PageResult[] = [];

for (const file of pages) {
	const page = readFileSync(file, 'utf8');
	if (blocksOf(page, file).length === 0) {
		continue;
	}

	test.serial(`${file}: what it says runs, and prints what it shows`, async t => {
		t.timeout(300_000);
		const result = await tryPage(page, file);
		results.push(result);
		t.deepEqual(result.complaints, []);
	});
}

test.serial('how many blocks ran', t => {
	const ran = results.reduce((sum, result) => sum + result.ran, 0);
	const marked = results.flatMap(result => result.marked);
	t.log(`${ran} blocks of ${results.length} pages ran; ${marked.length} are marked as not run:`);
	for (const line of marked) {
		t.log(line);
	}

	t.true(ran > 20);
});

test('docs/scenarios.md shows an actor that listens below port 1024 without being root', t => {
	t.regex(readFileSync('docs/scenarios.md', 'utf8'), /uid: [1-9]\d*, .*'udp:53'/u);
});

for (const [what, page, complaint] of [
	['a command that fails', '```sh\nfalse\n```', /ended with status 1, not 0/u],
	['another status than is told', '<!-- status: 3 -->\n```sh\ntrue\n```', /ended with status 0, not 3/u],
	['another output', '```console\n$ echo one\ntwo\n```', /"two" was not printed there/u],
	['a hidden command that fails', '<!-- before: false -->\n```sh\ntrue\n```', /ended with status 1/u],
	['a pipe that breaks in front', '```sh\nfalse | cat\n```', /ended with status 1/u],
	['a scenario that cannot be read', '```yaml\nname: x\nprobes: []\n```', /scenario-1\.yaml/u],
	['a scenario that fails', '```yaml\nversion: 1\nname: wrong\nabout: The app is not captured.\nrules: release:1.30\nprobes:\n  - {name: out, from: app, to: \'remote:8080\', expect: {stops: [\'remote:8080\']}}\n```', /ended with status 1/u],
	['a program that throws', '```js\nthrow new Error(\'thrown on purpose\');\n```', /thrown on purpose/u],
	['a program that prints something else', '```js\nconsole.log([1]); // [2]\n```', /was not printed there/u],
	['a key that the document lacks', '<!-- keys of: echo \'{"a": 1}\' -->\n```jsonc\n{"b": 1}\n```', /\$\.b is shown/u],
	['a copy of another text', '<!-- same as: LICENSE -->\n```text\nMIT\n```', /is not the text of LICENSE/u],
] as const) {
	test(`goes red: ${what}`, async t => {
		const {complaints} = await tryPage(page, 'page.md');
		t.regex(complaints.join('\n'), complaint);
	});
}
