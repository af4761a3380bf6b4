/**
How many rule sets a second are made from command lines, for `npm run bench`: option sets of the real runs, as they stand and with values that no set had before.

Learned (2 cores shared, Node 20.20): some 15,000 a second, fresh values or not. Rules were texts first that were read back, which cost half of it; now each part of a rule knows its fields (`src/istio/iptables/save-form.ts`).
*/

import {readFileSync} from 'node:fs';
import {performance} from 'node:perf_hooks';
import path from 'node:path';
import {generateRun, type RealRun, type RunInput} from '../../src/istio/conformance/real-run.js';
import {packageRoot} from '../system/package-root.js';

const shipped = path.join(packageRoot, 'test/fixtures/istio-real/random.jsonl');

/** The option sets of the random runs that the real program took, all releases. */
export function readOptionSets(): readonly RunInput[] {
	return readFileSync(shipped, 'utf8').split('\n')
		.filter(line => line !== '')
		.map(line => JSON.parse(line) as RealRun)
		.filter(({rc}) => rc === 0);
}

/** Rule sets a second, over at least so long; `fresh` gives each set ports, ranges and a UID of its own. */
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

/** Later flags win, so they are put behind. The values are different for each number up to some 60,000. */
function withFreshValues(set: RunInput, number: number): RunInput {
	const port = (number % 60_000) + 1;
	const [high, low] = [(number >> 8) % 256, number % 256];
	return {
		...set, argv: [...set.argv, '-u', String(port), '-b', `${port},443`, '-o', String(port), '-i', `10.${high}.${low}.0/24`, '-x', `10.${high}.${low}.128/25`],
	};
}
