/**
The parts of the campaign. Each tries something many times and tells how often, and what went wrong, one sentence each.

A run that is interfered with may be inconclusive or say what the machine lacks. It may not pass with another result than a run that is left alone, print a stack trace, or leave anything behind.
*/

import {execFileSync, spawn} from 'node:child_process';
import {
	existsSync, mkdtempSync, rmSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import {tryInputs} from './inputs.mjs';
import {
	endOf, hasStack, isOver, leftoversOf, processesNamed, resultsOf, runToEnd, startRun,
} from './watch.mjs';

/**
@typedef {{count: number, random: ReturnType<import('./random.mjs').createRandom>, say: (text: string) => void, faults?: number}} Task
@typedef {{tried: number, faults: readonly string[], notTried?: readonly string[], note?: string}} PartResult
@typedef {{name: string, about: string, full: number, small: number, run: (task: Task) => Promise<PartResult>}} Part
*/

const sixTypes = ['run', '--format', 'json'];

/** Exit statuses that say why there is no result: inconclusive, and a machine that cannot do it. */
const honest = new Set([3, 4]);

/** The result of a run that nobody interferes with. @throws {Error} if it does not pass */
export async function referenceResult() {
	const {status, stdout, stderr} = await runToEnd(sixTypes);
	const results = resultsOf(stdout);
	if (status !== 0 || results === undefined) {
		throw new Error(`The six types do not pass on this machine, so there is nothing to compare with (status ${status}): ${stderr.trim()}`);
	}

	return results;
}

/**
What is wrong with a run, as sentences.

@param {string} name what was done
@param {import('./watch.mjs').Ended & {left: readonly string[]}} ended
@param {{reference?: string, mayFail: boolean, failsWith?: ReadonlySet<number>}} expected `mayFail`: whether it may also end without a result, with one of the statuses `failsWith`
*/
export function faultsOf(name, {status, signal, stdout, stderr, left}, {reference, mayFail, failsWith = honest}) {
	const faults = left.map(one => `${name}: ${one}`);
	if (hasStack(stderr) || hasStack(stdout)) {
		faults.push(`${name}: it printed a stack trace: ${stderr.trim().split('\n')[0]}`);
	}

	if (signal !== null) {
		faults.push(`${name}: it was ended by ${signal}.`);
	} else if (status === 0 ? (reference !== undefined && resultsOf(stdout) !== reference) : !(mayFail && failsWith.has(status))) {
		faults.push(status === 0 ? `${name}: it passed with another result.` : `${name}: it ended with status ${status}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
	}

	return faults;
}

async function oneAfterAnother({count, say}) {
	const reference = await referenceResult();
	const faults = [];
	for (let index = 1; index <= count; index++) {
		faults.push(...faultsOf(`run ${index}`, await runToEnd(sixTypes), {reference, mayFail: false})); // eslint-disable-line no-await-in-loop -- One after another is what is tried.
		if (index % 50 === 0) {
			say(`${index} of ${count}, ${faults.length} faults`);
		}
	}

	return {tried: count, faults};
}

const killable = [
	['run'],
	['run', '--backend', 'all', '--family', 'both'],
	['diff', 'release:1.24', 'release:1.31'],
	['mutate', 'release:1.31', '--sample', '6', '--cases', 'types'],
	['probe', '--rules', 'release:1.31', '--from', 'app', '--to', '10.244.1.20:8080'],
	['baseline', 'create'],
];

/** Up to so many milliseconds after its start a run is killed: the shortest takes half of that on a quiet machine, the longest several times as long. */
const killWithinMs = 1500;

async function killedAnywhere({count, random, say}) {
	const faults = [];
	let over = 0;
	for (let index = 1; index <= count; index++) {
		const given = random.pick(killable);
		const after = random.below(killWithinMs);
		const run = await startRun(given); // eslint-disable-line no-await-in-loop -- One after another.
		try {
			const begun = performance.now();
			while (!isOver(run) && performance.now() - begun < after) {
				run.noteNamespaces();
				await wait(15); // eslint-disable-line no-await-in-loop -- The moment of the kill is random on purpose.
			}

			over += isOver(run) ? 1 : 0;
			run.noteNamespaces();
			run.process.kill('SIGKILL');
			await run.process; // eslint-disable-line no-await-in-loop
			const left = await leftoversOf(run); // eslint-disable-line no-await-in-loop
			faults.push(...left.map(one => `\`${given.join(' ')}\`, killed after ${after} ms: ${one}`));
		} finally {
			await run[Symbol.asyncDispose](); // eslint-disable-line no-await-in-loop
		}

		if (index % 20 === 0) {
			say(`${index} of ${count}, ${faults.length} faults`);
		}
	}

	return {tried: count, faults, note: `${over} were over before their moment came`};
}

async function atOnce({count, say}) {
	const reference = await referenceResult();
	const faults = [];
	let tried = 0;
	for (let round = 1; round <= count; round++) {
		for (const together of [8, 16]) {
			const all = await Promise.all(Array.from({length: together}, async () => runToEnd(sixTypes))); // eslint-disable-line no-await-in-loop -- One group after another.
			faults.push(...all.flatMap((ended, index) => faultsOf(`run ${index + 1} of ${together} at once`, ended, {reference, mayFail: true})));
			tried += together;
			say(`${together} at once: ${all.filter(({status}) => status === 0).length} passed, ${faults.length} faults`);
		}
	}

	return {tried, faults};
}

/** Kills a process of the run that shows up with this text in its command line, at a random moment. */
async function killProcessNamed(text, random) {
	const run = await startRun(sixTypes);
	try {
		let victims = [];
		while (victims.length === 0 && !isOver(run)) {
			victims = processesNamed(run, text);
			await wait(5); // eslint-disable-line no-await-in-loop -- It waits for the process to show up.
		}

		await wait(random.below(400));
		if (victims.length > 0) {
			try {
				process.kill(random.pick(victims), 'SIGKILL');
			} catch {} // It ended meanwhile.
		}

		return await endOf(run);
	} finally {
		await run[Symbol.asyncDispose]();
	}
}

/** Runs the six types while loops keep the processors busy. */
async function runBusy(loops) {
	const busy = Array.from({length: loops}, () => spawn(process.execPath, ['-e', 'for (;;);'], {stdio: 'ignore'}));
	try {
		return await runToEnd(sixTypes);
	} finally {
		for (const child of busy) {
			child.kill('SIGKILL');
		}
	}
}

const fakeTimeLibraries = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1'];

/** Runs the six types by a clock of their own, which is set back an hour while they run. */
async function runWithClockSetBack(random) {
	const library = fakeTimeLibraries.find(file => existsSync(file));
	if (library === undefined) {
		return undefined;
	}

	const folder = mkdtempSync(path.join(tmpdir(), 'testbed-clock-'));
	const clock = path.join(folder, 'clock');
	writeFileSync(clock, '+0\n');
	const run = await startRun(sixTypes, ['env', `FAKETIME_TIMESTAMP_FILE=${clock}`, 'FAKETIME_NO_CACHE=1', 'DONT_FAKE_MONOTONIC=1', `LD_PRELOAD=${library}`]);
	try {
		await wait(random.below(600));
		writeFileSync(clock, '-1h\n');
		return await endOf(run);
	} finally {
		await run[Symbol.asyncDispose]();
		rmSync(folder, {recursive: true});
	}
}

const fullDisk = ['unshare', '--mount', 'sh', '-c', 'mkdir full && mount -t tmpfs -o size=4k none full && head -c 4096 /dev/zero > full/filler; "$@"; status=$?; umount full; rmdir full; exit $status', 'sh'];

/** What can be done to a run. `failsWith`: how it then ends, if not as a run without a result does (an output that cannot be written is status 2). Each gives how the run ended, or nothing where this machine lacks what it takes. */
const interferences = [
	{name: 'a trace buffer of 4 kB', act: async () => runToEnd([...sixTypes, '--trace-buffer', '4096'])},
	{name: 'a stub killed', act: async random => killProcessNamed('stub.js', random)},
	{name: 'four busy loops', act: async () => runBusy(4)},
	{name: 'a clock that is set back', act: async random => runWithClockSetBack(random)},
	{name: 'a full disk for the report', failsWith: new Set([2]), act: async () => runToEnd([...sixTypes, '--output', 'full/report.json'], fullDisk)},
	{name: '24 open files at most', act: async () => runToEnd(sixTypes, ['sh', '-c', 'ulimit -n 24; exec "$@"', 'sh'])},
	{name: '40 open files at most', act: async () => runToEnd(sixTypes, ['sh', '-c', 'ulimit -n 40; exec "$@"', 'sh'])},
	{name: '64 open files at most', act: async () => runToEnd(sixTypes, ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'])},
];

async function interfered({count, random, say}) {
	const reference = await referenceResult();
	const faults = [];
	const notTried = [];
	const statuses = [];
	let tried = 0;
	for (const {name, act, failsWith} of interferences) {
		const seen = [];
		for (let index = 0; index < count; index++) {
			const ended = await act(random); // eslint-disable-line no-await-in-loop -- One after another.
			if (ended === undefined) {
				notTried.push(name);
				break;
			}

			tried++;
			seen.push(ended.status);
			faults.push(...faultsOf(name, ended, {reference, mayFail: true, failsWith}));
		}

		if (seen.length > 0) {
			statuses.push(`${name}: ${[...new Set(seen)].toSorted().map(status => `${seen.filter(one => one === status).length} × status ${status}`).join(', ')}`);
			say(statuses.at(-1));
		}
	}

	return {
		tried, faults, notTried, note: statuses.join('; '),
	};
}

/** The machine's own tables, as its tools print them without counters. A tool that is missing has nothing to say. */
function machineTables() {
	return [['nft', ['-s', 'list', 'ruleset']], ['iptables-legacy-save', []], ['ip6tables-legacy-save', []]].map(([program, given]) => {
		try {
			// Lines with `#` have a time.
			return execFileSync(program, given, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).replaceAll(/^#.*$/gmu, '').replaceAll(/\[\d+:\d+\]/gu, '');
		} catch {
			return '';
		}
	}).join('\n');
}

async function spoiledInputs({count, random, say}) {
	const before = machineTables();
	const result = await tryInputs({count, random, say});
	return machineTables() === before ? result : {...result, faults: [...result.faults, 'The machine\'s own tables changed.']};
}

/** @type {readonly Part[]} */
export const parts = [
	{name: 'runs', about: 'the six types, one run after another: the same result each time, and nothing left', full: 1000, small: 15, run: oneAfterAnother},
	{name: 'kills', about: 'SIGKILL at a random moment of several commands: nothing left', full: 200, small: 8, run: killedAnywhere},
	{name: 'together', about: '8 and then 16 runs at once, so many times: the same results, or inconclusive', full: 5, small: 1, run: atOnce},
	{name: 'faults', about: 'each of several interferences, so many times: the right result or a status that says why there is none', full: 20, small: 1, run: interfered},
	{name: 'inputs', about: 'spoiled rule files, scenarios, manifests, recordings, baselines and netlink datagrams: an answer or a clean error', full: 100_000, small: 3000, run: spoiledInputs},
];
