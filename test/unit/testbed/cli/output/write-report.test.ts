import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {dir} from 'tmp-promise';
import {stepSummaryBytesMax} from '../../../../../src/report/formats/markdown.js';
import {resultsOfRuns} from '../../../../../src/report/run/results.js';
import {formats} from '../../../../../testbed/cli/parsers.js';
import type {PrintFlags} from '../../../../../testbed/cli/output/destinations.js';
import {writeFormatted, type Printable} from '../../../../../testbed/cli/output/write-report.js';
import {TestbedError} from '../../../../../testbed/errors.js';
import {mixed} from '../../../../helpers/runs.js';

const printable: Printable = {text: () => 'The text.\n', json: () => ({version: 1}), results: () => resultsOfRuns(mixed), status: () => 1};

const beginnings = {
	text: /^The text\.\n$/u,
	json: /^\{\n {2}"version": 1\n\}\n$/u,
	html: /^<!doctype html>\n<html lang="en">\n/u,
	tap: /^TAP version 14\n1\.\.5\n/u,
	junit: /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites /u,
	markdown: /^## ✖ <code>testbed run<\/code>: 8 passed, 2 failed, 1 inconclusive\n/u,
	github: /^::error title=/u,
} as const satisfies Record<(typeof formats)[number], RegExp>;

for (const format of formats) {
	test.serial(`${format} goes to the file that is named`, async t => {
		const folder = await dir({unsafeCleanup: true});
		const output = path.join(folder.path, 'report');
		delete process.env['GITHUB_STEP_SUMMARY'];
		await writeFormatted(printable, {format, output: [{format: undefined, file: output}]});
		t.regex(readFileSync(output, 'utf8'), beginnings[format]);
		await folder.cleanup();
	});
}

/** What is annotated, and what was appended to a summary that held so many bytes. */
async function annotate(taken: number): Promise<{readonly annotations: string; readonly summary: string}> {
	const folder = await dir({unsafeCleanup: true});
	const [output, file] = ['report', 'summary'].map(name => path.join(folder.path, name)) as [string, string];
	writeFileSync(file, '.'.repeat(taken));
	process.env['GITHUB_STEP_SUMMARY'] = file;
	await writeFormatted(printable, {format: 'github', output: [{format: undefined, file: output}]});
	const texts = {annotations: readFileSync(output, 'utf8'), summary: readFileSync(file, 'utf8').slice(taken)};
	await folder.cleanup();
	return texts;
}

test.serial('github: the summary is appended, as much of it as the step still takes', async t => {
	const whole = await annotate(10);
	t.regex(whole.summary, /^## ✖ [\s\S]*Rules and environment/u);
	t.notRegex(whole.annotations, /##/u);
	const interval = await annotate(stepSummaryBytesMax - 5000);
	t.is(interval.annotations, whole.annotations);
	t.regex(interval.summary, /^## ✖ [\s\S]*To keep this short, .* had to be left out/u);
	t.true(interval.summary.length < 5000);
});

test.serial('what cannot be written says so', async t => {
	delete process.env['GITHUB_STEP_SUMMARY'];
	const error = await t.throwsAsync(writeFormatted(printable, {format: 'junit', output: [{format: undefined, file: '/nowhere/report'}]}), {instanceOf: TestbedError});
	t.is(error.code, 'INPUT');
	t.regex(error.message, /The report cannot be written to \/nowhere\/report: the folder \/nowhere does not exist/u);
});

test.serial('several reports come from one run, and one that cannot be written does not keep the others back', async t => {
	delete process.env['GITHUB_STEP_SUMMARY'];
	const folder = await dir({unsafeCleanup: true});
	const [text, junit, json] = ['report.txt', 'report.xml', 'report.json'].map(name => path.join(folder.path, name)) as [string, string, string];
	const wanted: PrintFlags = {format: 'text', output: [{format: 'markdown', file: '/nowhere/report'}, {format: 'junit', file: junit}, {format: undefined, file: text}, {format: 'json', file: json}]};
	await t.throwsAsync(writeFormatted(printable, wanted), {instanceOf: TestbedError, message: /^The report cannot be written to \/nowhere\/report: /u});
	t.regex(readFileSync(text, 'utf8'), beginnings.text);
	t.regex(readFileSync(junit, 'utf8'), beginnings.junit);
	t.regex(readFileSync(json, 'utf8'), beginnings.json);
	await folder.cleanup();
});
