/** Pictures of real runs: README's own, and all of every scenario, measured in a browser. */

import {
	readdirSync, readFileSync, statSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {dir} from 'tmp-promise';
import {faultsOfDrawings, usePage} from '../helpers/browser.js';
import {isLeftOut} from '../helpers/left-out.js';
import {parseXml} from '../helpers/junit.js';
import {testbed} from './_cli.js';

async function inFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	try {
		return await use(folder);
	} finally {
		await cleanup();
	}
}

test.serial('the picture in README.md is the one that a run draws', async t => {
	const {exitCode, stdout, stderr} = await testbed(['run', '--types', '2', '--format', 'svg']);
	t.is(exitCode, 0, stderr);
	t.is(stdout, readFileSync('docs/path.svg', 'utf8'), 'npm run picture writes it anew');
	t.true(readFileSync('README.md', 'utf8').includes('](docs/path.svg)'));
});

for (const format of ['svg', 'mermaid']) {
	for (const [what, given, message] of [
		['several types', ['run'], /draws one connection, but this run has 6\.\nNothing was run\./u],
		['both families', ['run', '--types', '2', '--family', 'both'], /this run has 2/u],
		['several back ends', ['run', '--types', '2', '--backend', 'all'], /this run has 3/u],
		['several scenarios', ['run', 'scenarios/no-rules.yaml'], /this run has \d+/u],
		['a comparison', ['diff', 'release:1.30', 'release:1.31'], /draws one connection, but this command has many/u],
		['mutants', ['mutate'], /this command has many\. html draws all of them/u],
		['coverage', ['coverage'], /this command has many/u],
		['a baseline', ['baseline', 'check', 'no.json'], /this command has many/u],
		['a recording of many', ['replay', 'test/recordings/run-1-iptables-nft.testbed'], /draws one connection, but there are \d+: /u],
	] as const) {
		test.serial(`${format} of ${what} is refused`, async t => {
			const {exitCode, stdout, stderr} = await testbed([...given, '--format', format]);
			t.is(exitCode, 2);
			t.is(stdout, '');
			t.regex(stderr, message);
		});
	}
}

test.serial('a drawing of a probe can also go to a file', async t => inFolder(async folder => {
	const file = path.join(folder, 'path.svg');
	const {exitCode, stdout} = await testbed(['probe', '--from', 'app', '--to', '[2001:db8::1]:443', '--format', 'svg', '--output', file]);
	t.is(exitCode, 0, stdout);
	t.is(stdout, '');
	t.is(parseXml(readFileSync(file, 'utf8')).name, 'svg');
}));

/** Opens a page and measures it. */
async function check(t: ExecutionContext, file: string): Promise<number> {
	const {faults, drawings, complaints} = await usePage(async page => {
		const said: string[] = [];
		page.on('console', message => said.push(message.text()));
		page.on('request', request => {
			if (!request.url().startsWith('file:')) {
				said.push(`asks for ${request.url()}`);
			}
		});
		await page.goto(pathToFileURL(file).href);
		return {faults: await faultsOfDrawings(page), drawings: await page.locator('figure').count(), complaints: said};
	}, {viewport: {width: 1280, height: 900}});
	t.deepEqual(faults, []);
	t.deepEqual(complaints, []);
	return drawings;
}

/** All back ends of each. */
const bytesPerScenario = 2_000_000 / 26;

test.serial('all scenarios and both families of the types: no text overlaps or is cut off, the page loads nothing, and it stays small', async t => {
	if (isLeftOut(t, {program: 'chromium'})) {
		return;
	}

	t.timeout(300_000);
	await inFolder(async folder => {
		const [scenarios, types] = ['scenarios.html', 'types.html'].map(name => path.join(folder, name)) as [string, string];
		for (const [file, given] of [[scenarios, ['scenarios/']], [types, ['--types', '1,2,3,4,5,6,4b', '--family', 'both']]] as const) {
			const {exitCode, stderr} = await testbed(['run', ...given, '--format', 'html', '--output', file]); // eslint-disable-line no-await-in-loop -- They share two cores.
			t.is(exitCode, 0, stderr);
		}

		t.true(statSync(scenarios).size < readdirSync('scenarios').length * bytesPerScenario);
		t.true(statSync(types).size < 300_000);
		t.true(await check(t, scenarios) > 150);
		t.is(await check(t, types), 14);
	});
});

test.serial('a comparison, a baseline, mutants and coverage each have a page, with drawings where there are any', async t => {
	t.timeout(300_000);
	await inFolder(async folder => {
		const file = (name: string): string => path.join(folder, name);
		const [from, to] = ['release:1.30', 'release:1.30 -u 64535,1337'];
		await testbed(['baseline', 'create', from, '--family', 'ipv4', '--output', file('base.json')]);
		for (const [name, given, status] of [
			['diff.html', ['diff', from, to, '--family', 'ipv4'], 1],
			['check.html', ['baseline', 'check', file('base.json'), to], 1],
			['mutate.html', ['mutate', from, '--cases', 'types', '--sample', '6'], undefined],
			['coverage.html', ['coverage', from], 0],
			['missed.html', ['coverage', from, '--require', 'types'], 1],
		] as const) {
			const {exitCode, stderr} = await testbed([...given, '--format', 'html', '--output', file(name)]); // eslint-disable-line no-await-in-loop -- They share two cores.
			t.true(status === undefined ? exitCode === 0 || exitCode === 1 : exitCode === status, stderr);
			const html = readFileSync(file(name), 'utf8');
			t.regex(html, /^<!doctype html>[\s\S]*<\/html>\n$/u);
			t.is(html.includes('<figure '), name !== 'coverage.html' && (name !== 'mutate.html' || exitCode === 1), name);
			t.is(html.includes('<div class="pair">'), name === 'diff.html' || name === 'check.html' || (name === 'mutate.html' && exitCode === 1), name);
			t.is(html.includes('A packet that reaches it, IPv4'), name === 'missed.html', name);
		}
	});
});

test.serial('of a baseline, "before" is drawn only where the recorded rules still do what was recorded', async t => {
	await inFolder(async folder => {
		const [base, page] = ['base.json', 'check.html'].map(name => path.join(folder, name)) as [string, string];
		await testbed(['baseline', 'create', 'release:1.30', '--family', 'ipv4', '--output', base]);
		const text = readFileSync(base, 'utf8');
		// Records of something that these rules have never done.
		writeFileSync(base, text.replaceAll('"arrivals":["proxy:15001"', '"arrivals":["proxy:15002"').replaceAll('"stops":["proxy:15001"', '"stops":["proxy:15002"'));
		const {exitCode, stderr} = await testbed(['baseline', 'check', base, '--format', 'html', '--output', page]);
		t.is(exitCode, 1, stderr);
		const html = readFileSync(page, 'utf8');
		t.true(html.includes('<figure '));
		t.false(html.includes('<div class="pair">'));
	});
});
