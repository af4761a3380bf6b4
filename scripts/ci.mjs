import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {countCells, countResult} from './ci/count.mjs';

const root = path.resolve(import.meta.dirname, '..');
const help = `Usage: .ci/run, or npm run ci

Installs what the tests need in CI (npm run ci-tools), then runs \`npm test\`, \`npm run lint\` and
\`npm run matrix -- ci\`. The last line is "N passed, N failed". A failed lint counts as one failure, and so does each
machine in the matrix that did not pass.
No test may be left out: a skipped or todo test counts as failed.

Exit status: 0 nothing failed, 1 something failed.`;

/** Runs npm with our own stdout and stderr, and returns how it ended. */
function runNpm(given, env = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn('npm', given, {cwd: root, env: {...process.env, CI: 'true', ...env}, stdio: ['ignore', 'inherit', 'inherit']});
		child.on('error', reject);
		child.on('close', (status, signal) => {
			resolve({status, signal});
		});
	});
}

/** The result file of ava or the matrix; undefined if it was not started or died too early. */
function readResult(file) {
	return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
}

async function main() {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'testbed-ci-'));
	try {
		const file = path.join(folder, 'result.json');
		// Tests that need a tool it could not install say so.
		await runNpm(['run', 'ci-tools']);
		const exit = await runNpm(['test'], {TESTBED_AVA_RESULT: file});
		const {passed, failed, notes} = countResult(readResult(file), exit);
		const lint = await runNpm(['run', 'lint']);
		const lintNotes = lint.status === 0 ? [] : ['Counted as failed: lint.'];
		const rows = path.join(folder, 'rows.json');
		const matrix = await runNpm(['run', 'matrix', '--', 'ci', '--no-write', '--result', rows]);
		const cells = countCells(readResult(rows), matrix.signal ?? `exit status ${matrix.status}`);
		for (const note of [...notes, ...lintNotes, ...cells.notes]) {
			console.log(note);
		}

		const allFailed = failed + lintNotes.length + cells.failed;
		console.log(`${passed + cells.passed} passed, ${allFailed} failed`);
		return allFailed === 0 ? 0 : 1;
	} finally {
		fs.rmSync(folder, {recursive: true});
	}
}

if (process.argv.includes('--help')) {
	console.log(help);
} else {
	process.exitCode = await main();
}
