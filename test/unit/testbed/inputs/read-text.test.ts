/** The reader for all text that users name: anything that is not text is reported uniformly, without quoting it. */

import {execFileSync, spawn} from 'node:child_process';
import {
	mkdtempSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import {Buffer} from 'node:buffer';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import fastCheck from 'fast-check';
import {loadBaseline} from '../../../../testbed/analysis/baseline-file.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {countLines, readLines, readText} from '../../../../testbed/inputs/read-text.js';
import {loadRuleInputs} from '../../../../testbed/inputs/rules.js';
import {loadScenario} from '../../../../testbed/inputs/scenarios.js';
import {usualCredentials} from '../../../../testbed/inputs/credentials.js';

const folder = mkdtempSync(path.join(tmpdir(), 'testbed-read-'));
test.after.always(() => {
	rmSync(folder, {recursive: true});
});

function written(name: string, content: string | Uint8Array): string {
	const file = path.join(folder, name);
	writeFileSync(file, content);
	return file;
}

const secret = 'hunter2';
const utf16 = Buffer.from(`*nat\n# ${secret}\nCOMMIT\n`, 'utf16le');
const bigEndian = Buffer.from(utf16).swap16();
const readers: ReadonlyArray<readonly [string, (file: string) => unknown]> = [
	['rules', file => loadRuleInputs({source: file, families: ['ipv4']})],
	['a manifest', file => loadRuleInputs({source: `pod:${file}`, families: ['ipv4']})],
	['a scenario', file => loadScenario(file, {backends: undefined, credentialsOf: (intent, known) => usualCredentials({}, intent, known)})],
	['a baseline', file => loadBaseline(file)],
	['a batch', async file => {
		const lines: string[] = [];
		for await (const line of readLines({file, what: 'The batch'})) {
			lines.push(line);
		}

		return lines;
	}],
];

const broken: ReadonlyArray<readonly [name: string, content: string | Uint8Array, message: RegExp]> = [
	['utf16-mark', Buffer.concat([Buffer.from([0xFF, 0xFE]), utf16]), /utf16-mark is UTF-16, as PowerShell writes it; save it as UTF-8\.$/u],
	['utf16-mark-be', Buffer.concat([Buffer.from([0xFE, 0xFF]), bigEndian]), /is UTF-16/u],
	['utf16', utf16, /is UTF-16/u],
	['utf16-be', bigEndian, /is UTF-16/u],
	['latin1', Buffer.from(`a\nb\u00E4${secret}`, 'latin1'), /latin1: line 2, column 2: this is not text: bytes that are not UTF-8\.$/u],
	['binary', Buffer.from([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0x33]), /binary: line 1, column 1: this is not text: the control character U\+007F\.$/u],
	['escape', `name: a\n\u001B[2J${secret}`, /escape: line 2, column 1: this is not text: the control character U\+001B\.$/u],
	['bell', `ab\u0007${secret}`, /bell: line 1, column 3: this is not text: the control character U\+0007\.$/u],
	['c1', `ab\u009B31m${secret}`, /c1: line 1, column 3: this is not text: the control character U\+009B\.$/u],
];

for (const [what, read] of readers) {
	for (const [name, content, message] of broken) {
		test(`${what}: ${name}`, async t => {
			const error = await t.throwsAsync(async () => read(written(`${what.replaceAll(' ', '-')}-${name}`, content)), {instanceOf: TestbedError});
			t.is(error.code, 'INPUT');
			t.regex(error.message, message);
			t.false(error.message.includes(secret));
		});
	}

	test(`${what}: what is no file`, async t => {
		for (const [file, message] of [
			[folder, /is a folder; expected a file\.$/u],
			['/dev/zero', /\/dev\/zero is a device; expected a file, a pipe, or - \(standard input\)\.$/u],
			[path.join(folder, 'nowhere'), /cannot be read: .*nowhere: no such file\.$/u],
			[path.join(written('file', 'x'), 'below'), /below: no such file\.$/u],
		] as const) {
			const error = await t.throwsAsync(async () => read(file), {instanceOf: TestbedError, code: 'INPUT'}); // eslint-disable-line no-await-in-loop -- A table.
			t.regex(error.message, message);
		}
	});

	test(`${what}: nothing of a file that is something else is shown`, async t => {
		for (const [name, content] of [
			['shadow', `root:*:${secret}:0:99999:7:::\ndaemon:*:${secret}:0\n`],
			['yaml', `password: ${secret}\nother: [${secret}\n`],
			['keys', `${secret}: 1\n`],
			['quoted', `"${secret}" ${secret}\n`],
			['json', `{"kind": "x", "password": "${secret}", ${secret}}\n`],
			['json-whole', `{"password": "${secret}"}\n`],
			// A file of another kind that has keys of a scenario, too.
			['other-version', `name: app\nversion: "${secret}"\npassword: ${secret}\n`],
			['html', `<p>${secret}</p>\n`],
		] as const) {
			try {
				await read(written(`${what.replaceAll(' ', '-')}-${name}`, content)); // eslint-disable-line no-await-in-loop -- A table.
				t.is(what, 'a batch', `${name} was taken`);
			} catch (error) {
				t.true(error instanceof TestbedError, String(error));
				t.false((error as TestbedError).message.includes(secret), (error as TestbedError).message);
			}
		}
	});
}

test('a mark of UTF-8 and colours of a log are left out', t => {
	t.is(readText({file: written('mark', '\uFEFFname: x\n'), what: 'The text'}), 'name: x\n');
	t.is(loadRuleInputs({source: written('colours', '\u001B[32m*nat\u001B[0m\n\u001B[1mCOMMIT\n'), families: ['ipv4']}).inputs.length, 1);
});

test('an empty name is an unset variable, the text is empty is told as such', t => {
	t.throws(() => loadRuleInputs({source: '', families: ['ipv4']}), {code: 'USAGE', message: '--rules is empty (an unset variable?).'});
	t.throws(() => loadRuleInputs({source: written('empty', ' \n'), families: ['ipv4']}), {code: 'INPUT', message: /empty is empty\.$/u});
	t.throws(() => loadBaseline(''), {code: 'USAGE', message: /is empty \(an unset variable\?\)\.$/u});
});

test('a text that is too long is not read to its end', t => {
	t.throws(() => readText({file: written('long', 'x'.repeat(200_001)), what: 'The text', bytesMax: 200_000}), {code: 'INPUT', message: /long is longer than the limit of 200000 bytes\.$/u});
	t.is(readText({file: written('long-enough', 'x'.repeat(200_000)), what: 'The text', bytesMax: 200_000}).length, 200_000);
});

test('a pipe with a name is a file like others', async t => {
	const pipe = path.join(folder, 'pipe');
	execFileSync('mkfifo', [pipe]);
	const writer = spawn('sh', ['-c', String.raw`printf "*nat\nCOMMIT\n" > "$1"`, 'sh', pipe], {stdio: 'ignore'});
	const ended = new Promise(resolve => {
		writer.once('close', resolve);
	});
	t.is(readText({file: pipe, what: 'The text'}), '*nat\nCOMMIT\n');
	await ended;
});

test('a link is followed', t => {
	const link = path.join(folder, 'link');
	symlinkSync(written('target', 'x'), link);
	t.is(readText({file: link, what: 'The text'}), 'x');
});

for (const [content, lines] of [['', 0], ['a', 1], ['a\n', 1], ['\n\na\n\r\n\nb', 2], ['a\r\nb\r\n', 2], [' \n\t{}\n \t', 1]] as const) {
	test(`${JSON.stringify(content)} has ${lines} lines that are not blank`, async t => {
		t.is(await countLines(written(`lines-${lines}-${content.length}`, content), new AbortController().signal), lines);
	});
}

test('the lines are counted as they are read, wherever the file is cut into chunks', async t => {
	await fastCheck.assert(fastCheck.asyncProperty(fastCheck.array(fastCheck.constantFrom('a', '{}', ' ', '', 'x'.repeat(70_000)), {maxLength: 8}), async texts => {
		const file = written('many-lines', texts.map(text => `${text}\n`).join(''));
		const read: string[] = [];
		for await (const line of readLines({file, what: 'The batch'})) {
			read.push(...line.trim() === '' ? [] : [line]);
		}

		t.is(await countLines(file, new AbortController().signal), read.length);
	}), {numRuns: 50});
});

test('what cannot be read twice, or at all, is not counted', async t => {
	for (const file of ['-', folder, path.join(folder, 'missing'), '/dev/null']) {
		t.is(await countLines(file, new AbortController().signal), undefined); // eslint-disable-line no-await-in-loop -- Few.
	}
});
