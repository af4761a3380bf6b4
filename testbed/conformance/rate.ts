/**
Measures how many rule sets per second are generated from command lines, for `npm run bench`: from the option sets of the real runs, unchanged and with fresh values.

Measured (2 shared cores, Node 20.20): some 15,000 per second, with or without fresh values. Rules used to be printed and parsed again, which halved the rate; now each part of a rule has its fields (`src/istio/iptables/save-form.ts`).
*/

import {readFileSync} from 'node:fs';
import {performance} from 'node:perf_hooks';
import path from 'node:path';
import {generateRun, type RealRun, type RunInput} from '../../src/istio/conformance/real-run.js';
import {packageRoot} from '../system/package-root.js';

const shipped = path.join(packageRoot, 'test/fixtures/istio-real/random.jsonl');

/** The option sets of the random runs that the real program accepted, of all releases. */
export function readOptionSets(): readonly RunInput[] {
	return readFileSync(shipped, 'utf8').split('\n')
		.filter(line => line !== '')
		.map(line => JSON.parse(line) as RealRun)
		.filter(({rc}) => rc === 0);
}

/** Rule sets per second, measured over at least `durationMs`; `fresh` gives each set its own ports, ranges and UID. */
export function generationRate({durationMs, fresh}: {readonly durationMs: number; readonly fresh: boolean}): number {
	const sets = readOptionSets();
	const begin = performance.now();
	let made = 0;
	while (performance.now() - begin < durationMs) {
		for (const set of sets) {
			generateRun(fresh ? withFreshValues(set, made) : set);
			made++;
		}
	}

	return (made / (performance.now() - begin)) * 1000;
}

/** Appends flags, because later flags win. The values differ for each number up to some 60,000. */
function withFreshValues(set: RunInput, number: number): RunInput {
	const port = (number % 60_000) + 1;
	const [high, low] = [(number >> 8) % 256, number % 256];
	return {
		...set, argv: [...set.argv, '-u', String(port), '-b', `${port},443`, '-o', String(port), '-i', `10.${high}.${low}.0/24`, '-x', `10.${high}.${low}.128/25`],
	};
}
