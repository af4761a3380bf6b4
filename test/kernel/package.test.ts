/** The ways in that need no clone: the packed package, and the action. */

import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {isLeftOut} from '../helpers/left-out.js';

const root = process.cwd();

/** Whether npm's registry answers: the package's dependencies come from there. */
async function reachesRegistry(): Promise<boolean> {
	const {exitCode} = await execa('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=10000'], {reject: false});
	return exitCode === 0;
}

test('the packed package works with npx, installed globally, and as a library', async t => {
	t.timeout(600_000);
	if (!(await reachesRegistry()) && isLeftOut(t, {place: 'the registry of npm'})) {
		return;
	}

	const {stdout} = await execa(process.execPath, ['scripts/check-package.mjs'], {cwd: root});
	t.deepEqual(stdout.split('\n').map(line => line.slice(0, 6)), ['ok    ', 'ok    ', 'ok    ', 'ok    ']);
	t.regex(stdout, /npx, in an empty folder with an empty cache, gives a first answer: [\d.]+ s, \d+ packages, [\d.]+ MB/u);
});

test('the action runs the six types, a scenario that fails, and a baseline, with their reports and outputs', async t => {
	t.timeout(120_000);
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	try {
		const output = path.join(folder, 'output');
		const summary = path.join(folder, 'summary.md');
		const act = async (inputs: Readonly<Record<string, string>>) => {
			fs.writeFileSync(output, '');
			const env = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`TESTBED_ACTION_${name.toUpperCase()}`, value]));
			const {exitCode, stdout} = await execa(process.execPath, [path.join(root, 'scripts/action/step.mjs'), 'run'], {
				cwd: folder, reject: false, env: {...env, GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary},
			});
			return {exitCode, stdout, outputs: fs.readFileSync(output, 'utf8')};
		};

		const passed = await act({rules: 'release:1.30', reports: 'junit=junit.xml\nmarkdown=report.md'});
		t.is(passed.outputs, 'status=0\noutcome=passed\n');
		t.regex(fs.readFileSync(path.join(folder, 'junit.xml'), 'utf8'), /tests="6"/u);
		t.regex(fs.readFileSync(summary, 'utf8'), /6 passed/u);

		const failed = await act({rules: 'release:1.30 -u 64535,1337', arguments: '--proxy-uid=1337\n--types=4'});
		t.is(failed.exitCode, 1);
		t.regex(failed.stdout, /^::error /mu);
		t.is(failed.outputs, 'status=1\noutcome=failed\n');

		const {stdout: rules} = await execa(path.join(root, 'bin/testbed'), ['rules', 'release:1.30']);
		fs.writeFileSync(path.join(folder, 'my.rules'), rules);
		await execa(path.join(root, 'bin/testbed'), ['baseline', 'create', 'my.rules', '--family', 'ipv4', '--output', 'baseline.json'], {cwd: folder});
		const same = await act({rules: 'my.rules', baseline: 'baseline.json'});
		t.is(same.outputs, 'status=0\noutcome=passed\n');
		fs.writeFileSync(path.join(folder, 'my.rules'), rules.replace(/^.*--dport 15090 .*\n/mu, ''));
		const moved = await act({rules: 'my.rules', baseline: 'baseline.json'});
		t.is(moved.outputs, 'status=1\noutcome=failed\n');
	} finally {
		await cleanup();
	}
});
