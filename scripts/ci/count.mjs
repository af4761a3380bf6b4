const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What went wrong outside of any test, in a file or in the whole run. */
const faults = {
	failedHooks: 'failed hook',
	uncaughtExceptions: 'uncaught exception',
	unhandledRejections: 'unhandled rejection',
	internalErrors: 'internal error in ava',
	sharedWorkerErrors: 'error in a shared worker',
};

/** Whether a file declared no tests without any reported error. */
function isEmpty(file) {
	return file.declaredTests === 0 && Object.keys(faults).every(fault => (file[fault] ?? 0) === 0);
}

/**
Counts what passed and what failed, from ava's own statistics.

Failures are: every test that did not pass (in CI also skipped and todo tests: nothing may be left out), every error outside of a test, every file without tests; and one more if the run as a whole failed for none of these reasons.

@param {{ended: boolean, stats?: object} | undefined} result What `observeRunInto` wrote; undefined if it wrote nothing.
@param {{status: number | null, signal: string | null}} exit How `npm test` ended.
@returns {{passed: number, failed: number, notes: string[]}} The notes name what counts as a failure without being a failed test.
*/
export function countResult(result, {status, signal}) {
	const ending = signal ?? `exit status ${status}`;
	const {stats, ended} = result ?? {ended: false};
	if (stats === undefined) {
		return {passed: 0, failed: 1, notes: [ended ? `No test file was found (${ending}).` : `npm test ended before ava ran a test (${ending}).`]};
	}

	const counted = [
		[stats.skippedTests, 'skipped test'],
		[stats.todoTests, 'todo test'],
		[stats.remainingTests, 'unfinished test'],
		...Object.entries(faults).map(([fault, noun]) => [stats[fault], noun]),
		[stats.byFile.filter(file => isEmpty(file)).length, 'file without tests'],
	].filter(([count]) => count > 0);
	const notes = counted.map(([count, noun]) => `Counted as failed: ${plural(count, noun)}.`);
	const passed = stats.passedTests + stats.passedKnownFailingTests;
	let failed = stats.failedTests + counted.reduce((sum, [count]) => sum + count, 0);

	if (!ended) {
		failed++;
		notes.push(`Counted as failed: the run, which ended early (${ending}).`);
	}

	if (failed === 0 && (status !== 0 || passed === 0)) {
		failed++;
		notes.push(`Counted as failed: the run, which ended with ${ending} after ${plural(passed, 'passed test')}.`);
	}

	return {passed, failed, notes};
}

/**
Counts what passed and failed in the matrix: every cell that did not pass counts as failed, even one that could not be tried here.

@param {{part: string, machine: string, result: string}[] | undefined} rows What `npm run matrix -- --result` wrote; undefined if it wrote nothing.
@param {string} ending How the matrix ended, in words.
@returns {{passed: number, failed: number, notes: string[]}}
*/
export function countCells(rows, ending) {
	if (rows === undefined || rows.length === 0) {
		return {passed: 0, failed: 1, notes: [`Counted as failed: the matrix of machines, which tried nothing (${ending}).`]};
	}

	const bad = rows.filter(({result}) => !result.startsWith('passed'));
	return {
		passed: rows.length - bad.length, failed: bad.length,
		notes: bad.map(({part, machine, result}) => `Counted as failed: matrix, ${part}, ${machine}: ${result}`),
	};
}
