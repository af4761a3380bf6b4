/**
Runs of the testbed that somebody interferes with, and what they leave behind: the kernel tests' own way to watch a run, for whoever asks instead of asserting.
*/

import {spawnSync} from 'node:child_process';
import {readFileSync, readlinkSync} from 'node:fs';
import {setTimeout as wait} from 'node:timers/promises';

/** The tests' helper is loaded when a run starts: by then the campaign has compiled it. */
const helper = new URL('../../dist/test/kernel/_cli.js', import.meta.url);

/**
@typedef {{status: number | null, signal: string | null, hung?: boolean, stdout: string, stderr: string}} Ended `hung`: it did not end by itself
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

/** Runs shell commands in each network namespace of a run, but not in the machine's. @param {WatchedRun} run */
export function inNamespacesOf(run, commands) {
	const links = new Map(run.children.map(pid => [linkOf(pid), pid]));
	for (const [link, pid] of links) {
		if (link !== undefined && link !== linkOf('self')) {
			// It may end meanwhile.
			spawnSync('nsenter', [`--net=/proc/${pid}/ns/net`, 'sh', '-c', commands], {stdio: 'ignore'});
		}
	}
}

function linkOf(pid) {
	try {
		return readlinkSync(`/proc/${pid}/ns/net`);
	} catch {
		return undefined; // It ended meanwhile.
	}
}

/**
How long the campaign waits, in milliseconds: for what a run has left to go (processes that were told to end take a moment), and for a run to end. A busy machine makes a run some ten times as slow, and no wait of its own is longer than a minute.
*/
export const patience = {leftMs: 30_000, endMs: 180_000};

/** Waits until nothing is left of a run. @returns {Promise<readonly string[]>} a sentence about what stays; none if everything is gone */
export async function leftoversOf(run) {
	const deadline = performance.now() + patience.leftMs;
	for (;;) {
		const left = run.leftovers();
		if (Object.values(left).every(list => list.length === 0)) {
			return [];
		}

		if (performance.now() > deadline) {
			return [`The run left something behind: ${JSON.stringify(left)}`];
		}

		await wait(5); // eslint-disable-line no-await-in-loop -- It waits for the end of processes.
	}
}

/** Waits for the end of a run, and for everything of it to be gone. A run that hangs is killed. @param {WatchedRun} run @returns {Promise<Ended & {left: readonly string[]}>} */
export async function endOf(run) {
	let hung = false;
	const timer = setTimeout(() => {
		hung = true;
		run.process.kill('SIGKILL');
	}, patience.endMs);
	const {exitCode = null, signal = null, stdout, stderr} = await run.process;
	clearTimeout(timer);
	return {
		status: exitCode, signal, hung, stdout: String(stdout), stderr: String(stderr), left: await leftoversOf(run),
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

/** What must be the same whenever the same is asked: of the six types outcome, stops and path of each, of a comparison all of it; without times, ports and process numbers. Undefined if the text is no such document. */
export function resultsOf(json) {
	try {
		const {durationMs, types, ...document} = JSON.parse(json);
		const listed = types?.map(({id, family, outcome, stops, path}) => ({
			id, family, outcome, stops, path,
		}));
		return JSON.stringify(listed ?? document);
	} catch {
		return undefined;
	}
}

/** Why types of a report are inconclusive; empty if the text is no report or has no such type. */
export function reasonsOf(json) {
	try {
		return [...new Set(JSON.parse(json).types.flatMap(({gaps}) => gaps.map(({kind, message}) => `${kind}: ${message}`)))];
	} catch {
		return [];
	}
}

/** Whether a text has a stack trace, which nobody should ever see. */
export function hasStack(text) {
	return /^\s+at .+:\d+:\d+\)?$/mu.test(text);
}
