/**
One part of the campaign, on the campaign's own machine (`ground.mjs`). Its only argument is JSON: `name`, `count`, `seed`, `minutes`, `stopFile` (if it exists, the campaign is to end), `resultFile` (gets the result), `through` and `patience`.
*/

import {existsSync, writeFileSync} from 'node:fs';
import process from 'node:process';
import {leftSince, takeCensus} from './census.mjs';
import {loadGuardRules, machineTables, watchedFolders} from './ground.mjs';
import {parts} from './parts.mjs';
import {createRandom} from './random.mjs';
import {patience} from './watch.mjs';

const {
	name, count, seed, minutes, stopFile, resultFile, through, patience: given,
} = JSON.parse(process.argv[2]);

Object.assign(patience, given);

function say(text) {
	process.stderr.write(`soak: ${name}: ${text}\n`);
}

const deadline = minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + (minutes * 60_000);

try {
	loadGuardRules();
	const tables = machineTables();
	let before = takeCensus(watchedFolders);
	const result = await parts.find(part => part.name === name).run({
		count, random: createRandom(seed), say, through,
		isOver: () => existsSync(stopFile) || performance.now() > deadline,
		async leftBehind() {
			const left = await leftSince(before, {folders: watchedFolders, limitMs: patience.leftMs});
			if (left.length > 0) {
				before = takeCensus(watchedFolders); // Each thing is told once.
			}

			return left;
		},
	});
	const faults = machineTables() === tables ? result.faults : [...result.faults, 'The tables of the runs\' machine changed.'];
	writeFileSync(resultFile, JSON.stringify({...result, faults}));
} catch (error) {
	say(error.stack);
	process.exitCode = 4;
}
