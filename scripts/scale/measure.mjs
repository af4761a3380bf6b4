/**
Measures what cutting work costs: `node scripts/scale/measure.mjs run scenarios/` does the command whole, then in 1, 2, 4 and 8 shards, one after the other, and merges them. Prints a line of JSON for each, with processor time of the testbed and everything that it started, in seconds: on a busy machine, times by the clock say little.
*/

import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

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

const rounded = seconds => Math.round(seconds * 100) / 100;
const command = process.argv.slice(2);
const folder = mkdtempSync(path.join(tmpdir(), 'testbed-scale-'));
try {
	console.log(JSON.stringify({shards: 'none', sum: rounded(secondsOf(command).processor)}));
	for (const count of [1, 2, 4, 8]) {
		const results = path.join(folder, String(count));
		const all = Array.from({length: count}, (_, place) => secondsOf([...command, '--shard', `${place + 1}/${count}`, '--shard-output', `${results}/`, ...(count === 1 ? [] : ['--shard-times', path.join(folder, 'times.json')])]));
		const merge = secondsOf(['merge', results, '--times', path.join(folder, 'times.json'), '--format', 'json', '--output', path.join(folder, 'report.json')]);
		const sum = all.reduce((total, {processor}) => total + processor, 0);
		console.log(JSON.stringify({shards: count, sum: rounded(sum), longest: rounded(Math.max(...all.map(({processor}) => processor))), merge: rounded(merge.processor)}));
	}
} finally {
	rmSync(folder, {recursive: true});
}
