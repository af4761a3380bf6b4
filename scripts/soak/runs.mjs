/**
Runs that nobody interferes with, one after another and many at once, and what counts as a fault of a run.

A run that is interfered with may be inconclusive or say what the machine lacks. It may not pass with another result than a run that is left alone, print a stack trace, or leave anything behind.
*/

import {
	hasStack, reasonsOf, resultsOf, runToEnd,
} from './watch.mjs';

/**
@typedef {{
	count: number, random: ReturnType<import('./random.mjs').createRandom>, say: (text: string) => void, isOver: () => boolean, leftBehind: () => Promise<readonly string[]>, through?: string,
}} Task `isOver`: whether the campaign is to stop after the current run. `leftBehind`: what is there that was not there before the part. `through`: a program that starts each run
@typedef {{tried: number, survived: number, faults: readonly string[], notTried?: readonly string[], note?: string}} PartResult
@typedef {{name: string, about: string, full: number, small: number, run: (task: Task) => Promise<PartResult>}} Part
*/

/** The arguments of the six types, whose results can be compared. */
export const sixTypes = ['run', '--format', 'json'];

/** Exit statuses that say why there is no result: inconclusive, and a machine that cannot do it. */
const honest = new Set([3, 4]);

/** Counts what was tried, what survived it, and the faults. */
export class Tally {
	tried = 0;
	survived = 0;
	/** @type {string[]} */
	faults = [];

	/** Adds one try with its faults. */
	add(faults) {
		this.tried++;
		this.survived += faults.length === 0 ? 1 : 0;
		this.faults.push(...faults);
	}

	/** The counts, with what else there is to say. @returns {PartResult} */
	result(further = {}) {
		return {
			tried: this.tried, survived: this.survived, faults: this.faults, ...further,
		};
	}
}

/** The words that start a run of this task. */
export function wrapOf({through}) {
	return through === undefined ? [] : [through];
}

/** The result of a run that nobody interferes with. @throws {Error} if it does not pass */
export async function referenceResult(task, given = sixTypes) {
	const {status, stdout, stderr} = await runToEnd(given, wrapOf(task));
	const results = resultsOf(stdout);
	if (status !== 0 || results === undefined) {
		throw new Error(`\`${given.join(' ')}\` does not pass on this machine, so there is nothing to compare with (status ${status}): ${stderr.trim()}`);
	}

	return results;
}

/**
What is wrong with a run, as sentences.

@param {string} name what was done
@param {import('./watch.mjs').Ended & {left: readonly string[]}} ended
@param {{reference?: string, mayFail: boolean, failsWith?: ReadonlySet<number>, endsBy?: ReadonlySet<string>}} expected `mayFail`: whether it may also end without a result, with one of the statuses `failsWith`, or by one of the signals `endsBy`, with which Node itself gives up
*/
export function faultsOf(name, {status, signal, hung = false, stdout, stderr, left}, {reference, mayFail, failsWith = honest, endsBy = new Set()}) {
	const faults = left.map(one => `${name}: ${one}`);
	if (hung) {
		return [...faults, `${name}: it hung: ${stderr.trim().split('\n').at(-1) ?? ''}`];
	}

	if (signal !== null && endsBy.has(signal)) {
		return faults; // What Node prints then has a stack of its own.
	}

	if (hasStack(stderr) || hasStack(stdout)) {
		faults.push(`${name}: it printed a stack trace: ${stderr.trim().split('\n')[0]}`);
	}

	if (signal !== null) {
		faults.push(`${name}: it was ended by ${signal}.`);
	} else if (status === 0 ? (reference !== undefined && resultsOf(stdout) !== reference) : !(mayFail && failsWith.has(status))) {
		const reasons = [...reasonsOf(stdout), ...stderr.trim().split('\n').slice(-1)];
		faults.push(status === 0 ? `${name}: it passed with another result.` : `${name}: it ended with status ${status}: ${reasons.join('; ')}`);
	} else if (status !== 0 && /internal error/iu.test(stderr)) {
		faults.push(`${name}: it blamed itself for it: ${stderr.trim().split('\n').find(line => /internal error/iu.test(line))}`);
	}

	return faults;
}

/** The six types, one run after another. @param {Task} task @returns {Promise<PartResult>} */
export async function oneAfterAnother(task) {
	const {count, say, isOver, leftBehind} = task;
	const reference = await referenceResult(task);
	const tally = new Tally();
	for (let index = 1; index <= count && !isOver(); index++) {
		const ended = await runToEnd(sixTypes, wrapOf(task)); // eslint-disable-line no-await-in-loop -- One after another is what is tried.
		const left = await leftBehind(); // eslint-disable-line no-await-in-loop
		const faults = [...faultsOf(`run ${index}`, ended, {reference, mayFail: false}), ...left.map(one => `run ${index}: ${one}`)];
		tally.add(faults);
		for (const fault of faults) {
			say(fault);
		}

		if (index % 50 === 0) {
			say(`${index} of ${count}, ${tally.faults.length} faults`);
		}
	}

	return tally.result();
}

/** How many runs there are at once, one group after another. */
const groups = [8, 16];

/** The six types, many runs at once. @param {Task} task @returns {Promise<PartResult>} */
export async function atOnce(task) {
	const {count, say, isOver, leftBehind} = task;
	const reference = await referenceResult(task);
	const tally = new Tally();
	let passed = 0;
	for (let round = 1; round <= count && !isOver(); round++) {
		for (const together of groups) {
			const all = await Promise.all(Array.from({length: together}, async () => runToEnd(sixTypes, wrapOf(task)))); // eslint-disable-line no-await-in-loop -- One group after another.
			for (const [index, ended] of all.entries()) {
				tally.add(faultsOf(`run ${index + 1} of ${together} at once`, ended, {reference, mayFail: true}));
			}

			const left = await leftBehind(); // eslint-disable-line no-await-in-loop
			tally.faults.push(...left.map(one => `${together} at once: ${one}`));
			passed += all.filter(({status}) => status === 0).length;
			say(`${together} at once: ${all.filter(({status}) => status === 0).length} passed, ${tally.faults.length} faults`);
		}
	}

	return tally.result({note: `${passed} passed, ${tally.tried - passed} ended without a result`});
}
