/**
How time and memory grow with the number of rules: `npm run bench -- --growth docs` measures it and writes docs/growth.json and docs/growth.svg. Nothing in these files is written by hand.
*/

import {
	mkdirSync, mkdtempSync, rmSync, writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {loadEnvironment} from '../confinement/environment.js';
import {defaultBackend} from '../../src/netfilter/backends.js';
import {rangeRules} from './big-rule-sets.js';
import {growthChart, type Growth, type GrowthPoint} from './growth-chart.js';
import {medianCost, timeCommand, type Cost} from './timed-command.js';

const sizes = [300, 1000, 2000, 5000, 10_000] as const;

/** Measures `diff FILE FILE` for range rules of all sizes. Each round measures every size once, so that a slow minute affects all of them. */
export async function measureGrowth(rounds: number): Promise<Growth> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'testbed-bench-'));
	try {
		const costs = new Map<number, Cost[]>(sizes.map(rules => [rules, []]));
		for (let round = 0; round < rounds; round++) {
			for (const rules of sizes) {
				const file = path.join(folder, `${rules}.rules`);
				writeFileSync(file, rangeRules(rules));
				costs.get(rules)!.push(await timeCommand(['diff', file, file, '--family', 'ipv4'])); // eslint-disable-line no-await-in-loop -- In parallel they would disturb each other.
			}
		}

		const {kernel, node} = await loadEnvironment(defaultBackend);
		const failed = [...costs].filter(([, all]) => all.some(({status}) => status !== 0)).map(([rules]) => rules);
		if (failed.length > 0) {
			throw new Error(`diff of ${failed.join(', ')} rules did not end with status 0`);
		}

		return {
			what: 'testbed diff FILE FILE --family ipv4', kernel, node, processors: os.availableParallelism(), rounds, points: [...costs].map(([rules, all]) => pointOf(rules, medianCost(all))),
		};
	} finally {
		rmSync(folder, {recursive: true});
	}
}

function pointOf(rules: number, {clockSeconds, processorSeconds, memoryMiB}: Cost): GrowthPoint {
	return {
		rules, clockSeconds: Number(clockSeconds.toFixed(2)), processorSeconds: Number(processorSeconds.toFixed(2)), memoryMiB: Math.round(memoryMiB),
	};
}

/** Writes the data and the drawing; returns lines to print. */
export async function writeGrowth(folder: string, rounds: number): Promise<readonly string[]> {
	mkdirSync(folder, {recursive: true}); // Before minutes of measuring.
	const growth = await measureGrowth(rounds);
	writeFileSync(path.join(folder, 'growth.json'), `${JSON.stringify(growth, undefined, '\t')}\n`);
	writeFileSync(path.join(folder, 'growth.svg'), growthChart(growth));
	return growth.points.map(({rules, clockSeconds, processorSeconds, memoryMiB}) => `${String(rules).padStart(7)} rules ${clockSeconds.toFixed(2).padStart(7)} s, processors ${processorSeconds.toFixed(2).padStart(7)} s ${String(memoryMiB).padStart(6)} MiB\n`);
}
