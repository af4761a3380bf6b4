import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {countResult} from './ci/count.mjs';

const root = path.resolve(import.meta.dirname, '..');
const help = `Usage: .ci/run, or npm run ci

Runs \`npm test\` and \`npm run lint\` and closes with the line "N passed, N failed". A failed lint counts as one.
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
		const exit = await runNpm(['test'], {TESTBED_AVA_RESULT: file});
		const {passed, failed, notes} = countResult(readResult(file), exit);
		const lint = await runNpm(['run', 'lint']);
		const lintFailed = lint.status === 0 ? 0 : 1;
		for (const note of lintFailed === 0 ? notes : [...notes, 'Counted as failed: lint.']) {
			console.log(note);
		}

		console.log(`${passed} passed, ${failed + lintFailed} failed`);
		return failed + lintFailed === 0 ? 0 : 1;
	} finally {
		fs.rmSync(folder, {recursive: true});
	}
}

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	process.exitCode = await main();
}
