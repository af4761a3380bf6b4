/**
Runs of the testbed that somebody interferes with, and what they leave behind: the kernel tests' own way to watch a run, for whoever asks instead of asserting.
*/

import {readFileSync} from 'node:fs';

/** The tests' helper is loaded when a run starts: by then the campaign has compiled it. */
const helper = new URL('../../dist/test/kernel/_cli.js', import.meta.url);

/**
@typedef {{status: number | null, signal: string | null, stdout: string, stderr: string}} Ended
@typedef {import('../../test/kernel/_cli.js').WatchedRun} WatchedRun
*/

/**
Starts a run in a folder of its own. Whoever starts it disposes of it (`Symbol.asyncDispose`).

@param {readonly string[]} given arguments of the testbed
@param {readonly string[]} wrap a program and its arguments that starts the run
@returns {Promise<WatchedRun>}
*/
export async function startRun(given, wrap = []) {
	const {WatchedRun} = await import(helper.href);
	return WatchedRun.start(given, {}, wrap);
}

/** Whether the first process of a run has ended. @param {WatchedRun} run */
export function isOver({process}) {
	return process.exitCode !== null || process.signalCode !== null;
}

/** The processes of a run whose command line contains a text. @param {WatchedRun} run */
export function processesNamed({children}, text) {
	return children.filter(pid => {
		try {
			return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
		} catch {
			return false; // It ended meanwhile.
		}
	});
}

/** Waits until nothing is left of a run. @returns {Promise<readonly string[]>} a sentence about what stays; none if everything is gone */
export async function leftoversOf(run) {
	try {
		await run.nothingLeft();
		return [];
	} catch (error) {
		return [error.message];
	}
}

/** Waits for the end of a run, and for everything of it to be gone. @param {WatchedRun} run @returns {Promise<Ended & {left: readonly string[]}>} */
export async function endOf(run) {
	const {exitCode = null, signal = null, stdout, stderr} = await run.process;
	return {
		status: exitCode, signal, stdout: String(stdout), stderr: String(stderr), left: await leftoversOf(run),
	};
}

/** Runs the testbed to its end. */
export async function runToEnd(given, wrap) {
	const run = await startRun(given, wrap);
	try {
		return await endOf(run);
	} finally {
		await run[Symbol.asyncDispose]();
	}
}

/** What must be the same whenever the same types are run: outcome, stops and path of each, without times, ports and process numbers. Undefined if the text is no report. */
export function resultsOf(json) {
	try {
		return JSON.stringify(JSON.parse(json).types.map(({id, family, outcome, stops, path}) => ({
			id, family, outcome, stops, path,
		})));
	} catch {
		return undefined;
	}
}

/** Whether a text has a stack trace, which nobody should ever see. */
export function hasStack(text) {
	return /^\s+at .+:\d+:\d+\)?$/mu.test(text);
}
