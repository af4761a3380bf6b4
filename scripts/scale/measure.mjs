/**
Measures what cutting work costs: `node scripts/scale/measure.mjs run scenarios/` does the command whole, then in 1, 2, 4 and 8 shards, one after the other, and merges them. Prints a line of JSON for each, with processor time of the testbed and everything that it started, in seconds: on a busy machine, times by the clock say little.

The merged report must be the whole one, byte for byte but for what differs between any two runs (src/sharding/normalize.ts), and two merges of `run` must make the same recording; otherwise it ends with status 1.
*/

import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {normalizeReport} from '../../dist/src/sharding/normalize.js';

const program = fileURLToPath(new URL('../../bin/testbed', import.meta.url));
const ticksPerSecond = 100; // USER_HZ, the unit of /proc/PID/stat on all architectures (proc(5)).

/** Processor seconds of all children that have ended: cutime and cstime, fields 16 and 17. What is in front of field 3 may have blanks. */
function childSeconds() {
	const fields = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\) /s, '').split(' ');
	return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

function secondsOf(words) {
	const before = childSeconds();
	const startedAt = performance.now();
	const {status, stderr} = spawnSync(program, words, {encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 2 ** 28});
	if (![0, 1].includes(status)) {
		throw new Error(`testbed ${words.join(' ')} ended with status ${status}: ${stderr}`);
	}

	return {processor: childSeconds() - before, clock: (performance.now() - startedAt) / 1000};
}

/** The first line in which two texts differ, with the lines before it; undefined if they are equal. */
function firstDifference(one, other) {
	const [lines, others] = [one.split('\n'), other.split('\n')];
	const place = lines.findIndex((line, index) => line !== others[index]);
	return one === other ? undefined : {before: lines.slice(Math.max(0, place - 20), place), whole: lines[place], merged: others[place]};
}

const rounded = seconds => Math.round(seconds * 100) / 100;
const command = process.argv.slice(2);
const folder = mkdtempSync(path.join(tmpdir(), 'testbed-scale-'));
const isRun = command[0] === 'run';
const reportOf = file => normalizeReport(readFileSync(file, 'utf8'));
try {
	const whole = path.join(folder, 'whole.json');
	console.log(JSON.stringify({shards: 'none', sum: rounded(secondsOf([...command, '--format', 'json', '--output', whole]).processor)}));
	for (const count of [1, 2, 4, 8]) {
		const results = path.join(folder, String(count));
		const times = path.join(folder, 'times.json');
		const all = Array.from({length: count}, (_, place) => secondsOf([...command, '--shard', `${place + 1}/${count}`, '--shard-output', `${results}/`, ...(count === 1 ? [] : ['--shard-times', times])]));
		const [report, first, second] = ['report.json', 'first.testbed', 'second.testbed'].map(name => path.join(folder, name));
		const mergeTo = recording => secondsOf(['merge', results, '--times', times, '--format', 'json', '--output', report, ...(isRun ? ['--record', recording] : [])]);
		const merge = mergeTo(first);
		if (isRun) {
			mergeTo(second);
		}

		const difference = firstDifference(reportOf(whole), reportOf(report));
		const isEqual = difference === undefined && (!isRun || readFileSync(first).equals(readFileSync(second)));
		process.exitCode = isEqual ? process.exitCode : 1;
		const sum = all.reduce((total, {processor}) => total + processor, 0);
		console.log(JSON.stringify({
			shards: count, sum: rounded(sum), longest: rounded(Math.max(...all.map(({processor}) => processor))), merge: rounded(merge.processor),
			isEqual, ...(difference === undefined ? {} : {difference}),
		}));
	}
} finally {
	rmSync(folder, {recursive: true});
}
