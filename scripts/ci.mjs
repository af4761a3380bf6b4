import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {countResult} from './ci/count.mjs';

const root = path.resolve(import.meta.dirname, '..');
const help = `Usage: .ci/run, or npm run ci

Installs what the tests ask for in CI (npm run ci-tools), then runs \`npm test\`, \`npm run lint\` and
\`npm run lockfiles -- --quick\`, and closes with the line "N passed, N failed". Each of the last two counts as one
when it fails.
No test may be left out: one that is skipped or todo counts as failed.

Exit status: 0 nothing failed, 1 something did.`;

/** Runs npm with our own stdout and stderr, and gives how it ended. */
function runNpm(given, env = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn('npm', given, {cwd: root, env: {...process.env, CI: 'true', ...env}, stdio: ['ignore', 'inherit', 'inherit']});
		child.on('error', reject);
		child.on('close', (status, signal) => {
			resolve({status, signal});
		});
	});
}

/** What ava left of its run. Nothing, when it was not started, or died before its first test. */
function readResult(file) {
	return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
}

async function main() {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'testbed-ci-'));
	try {
		const file = path.join(folder, 'result.json');
		// What it could not bring, the tests that need it name.
		await runNpm(['run', 'ci-tools']);
		const exit = await runNpm(['test'], {TESTBED_AVA_RESULT: file});
		const {passed, failed: failedTests, notes} = countResult(readResult(file), exit);
		const others = [];
		for (const [name, ...given] of [['lint'], ['lockfiles', '--', '--quick']]) {
			const {status} = await runNpm(['run', name, ...given]); // eslint-disable-line no-await-in-loop -- Two cores.
			if (status !== 0) {
				others.push(`Counted as failed: ${name}.`);
			}
		}

		const failed = failedTests + others.length;
		for (const note of [...notes, ...others]) {
			console.log(note);
		}

		console.log(`${passed} passed, ${failed} failed`);
		return failed === 0 ? 0 : 1;
	} finally {
		fs.rmSync(folder, {recursive: true});
	}
}

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	process.exitCode = await main();
}
