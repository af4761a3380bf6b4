/** `testbed report` as a command: what it prints, what it writes, and what it refuses. */

import {
	existsSync, readFileSync, readdirSync, statSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import type {BugReport} from '../../src/report/bug-report-schema.js';
import {complaintOf, schemaFor} from '../helpers/json-schemas.js';
import {testbed} from './_cli.js';

test('the file holds what was printed before, and its recording replays', async t => {
	const {path: cwd, cleanup} = await dir({unsafeCleanup: true});
	const ran = await testbed(['run', '--types', '2', '--record', 'run.testbed'], {cwd});
	t.is(ran.exitCode, 0, ran.stderr);
	const {exitCode, stdout, stderr} = await testbed(['report', '--recording', 'run.testbed', '--rules', 'release:1.30'], {cwd, env: {SECRET: 'geheim-4711', COLUMNS: '100'}});
	t.deepEqual([exitCode, stderr], [0, '']);
	const text = readFileSync(path.join(cwd, 'testbed-report.json'), 'utf8');
	const report = JSON.parse(text) as BugReport;
	t.is(complaintOf(schemaFor('bug-report', {isClosed: true}), report), null);
	t.is(stdout.replaceAll(/\s+/gu, ' ').trim(), ['testbed-report.json holds:', ...report.contents.map(line => `- ${line}`)].join(' '));
	t.false(text.includes('geheim'));
	t.true(report.doctor!.findings.length > 10);
	t.deepEqual(report.faults, []);
	const replayed = await testbed(['replay', '-'], {input: report.files.find(({name}) => name === 'run.testbed')!.text});
	t.is(replayed.exitCode, 0, replayed.stderr);
	const again = await testbed(['report'], {cwd});
	t.is(again.exitCode, 2);
	t.regex(again.stderr, /^testbed: testbed-report\.json exists, and a report overwrites nothing\.\n/u);
	t.is(readFileSync(path.join(cwd, 'testbed-report.json'), 'utf8'), text);
	await cleanup();
});

test('--list writes nothing; - writes to standard output, with the list on standard error', async t => {
	const {path: cwd, cleanup} = await dir({unsafeCleanup: true});
	const listed = await testbed(['report', '--list'], {cwd});
	t.deepEqual([listed.exitCode, listed.stderr], [0, '']);
	t.regex(listed.stdout, /^A report would hold:\n {2}- about: versions/u);
	t.deepEqual(readdirSync(cwd), []);
	const printed = await testbed(['report', '-'], {cwd});
	t.is(printed.exitCode, 0);
	t.is((JSON.parse(printed.stdout) as BugReport).version, 1);
	t.regex(printed.stderr, /^The report holds:\n {2}- about: versions/u);
	await cleanup();
});

test('refused, and nothing is overwritten', async t => {
	const {path: cwd, cleanup} = await dir({unsafeCleanup: true});
	const dump = path.join(cwd, 'my.rules');
	writeFileSync(dump, '*nat\nCOMMIT\n');
	for (const [given, message] of [
		[['report', '--list', 'x.json'], /^testbed: --list writes nothing, so x\.json cannot be used with it\./u],
		[['report', '--rules', dump, dump], /^testbed: .*my\.rules exists, and a report overwrites nothing\./u],
		[['report', '/nowhere/x.json'], /^testbed: The report cannot be written to \/nowhere\/x\.json/u],
		[['report', '--rules', '-', '--recording', '-'], /^testbed: Standard input can be read only once/u],
		[['report', '--record', 'x'], /^testbed: report has no option --record\. Did you mean --recording\?/u],
	] as const) {
		const {exitCode, stdout, stderr} = await testbed(given, {cwd, input: ''}); // eslint-disable-line no-await-in-loop -- One process at a time.
		t.deepEqual([exitCode, stdout], [2, ''], stderr);
		t.regex(stderr, message);
	}

	t.is(statSync(dump).size, 12);
	t.false(existsSync(path.join(cwd, 'testbed-report.json')));
	await cleanup();
});
