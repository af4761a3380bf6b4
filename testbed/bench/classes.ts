/**
Measures packet classes for `npm run bench`: how many representative probes a rule set needs and how long they take to find; how long a comparison of two releases takes; how large a baseline is.

Learned (2 cores, Node 20.20, Linux 6.18):
- Dividing packets by walking sets of them through the rules needs 32 probes for the default rules; all combinations of the values in the rules would be some 20,000.
- A probe without an answer costs a full timeout, and 1,000 of them cost more than everything else. Datagrams and invalid packets are over once the trace shows them as delivered.
- Probes that share a requested source port and the destination must be sent one after the other. When all that had the same two ports were, DNS capture took 119 batches for 708 probes, at some 4 ms of processor time each; now it takes 19.
- In a series, every rule set is in two pairs: finding the path of each probe and comparing it with the prediction once instead of twice, each rule's role once, and the release of a rule set only for a report that names it, saved 15% of four series.
- Most of the time per rule set goes to the iptables programs and to RCU grace periods in the kernel, which two jobs can overlap.
*/

import {performance} from 'node:perf_hooks';
import process from 'node:process';
import path from 'node:path';
import {classify} from '../../src/packet-classes/classify.js';
import {representativesOf} from '../../src/packet-classes/representatives.js';
import {addressFamilies, defaultTopology} from '../../src/mesh/topology.js';
import {programOf} from '../analysis/probe-classes.js';
import {run} from '../system/exec.js';
import {loadRuleInput} from '../inputs/rules.js';
import {packageRoot} from '../system/package-root.js';

const launcher = path.join(packageRoot, 'bin/testbed');
const everything = 'release:1.30 --redirect-dns --drop-invalid -m TPROXY -u 1337,64535 -g 1337,2000 -i 10.0.0.0/8,192.168.0.0/16 -x 10.1.0.0/16,10.2.0.0/16 -o 25,26 -q 27,28 -d 22,23 -k docker0 -c eth1 -b *';

async function timed(act: () => Promise<string>): Promise<readonly [ms: number, text: string]> {
	const startedAt = performance.now();
	const text = await act();
	return [performance.now() - startedAt, text];
}

/** Runs the testbed; statuses that say that something moved are accepted. */
async function testbed(argv: readonly string[]): Promise<string> {
	return run(process.execPath, [launcher, ...argv], {acceptStatus: [0, 1, 3]});
}

function cutTimes(source: string): string {
	const input = loadRuleInput({source, source6: undefined, families: addressFamilies, isForShow: true});
	return addressFamilies.map(family => {
		const times: number[] = [];
		let [classes, probes] = [0, 0];
		for (let round = 0; round < 5; round++) {
			const startedAt = performance.now();
			const classSet = classify([programOf(input, family)], {family, topology: defaultTopology});
			probes = representativesOf(classSet, defaultTopology).length;
			times.push(performance.now() - startedAt);
			classes = classSet.classes.length;
		}

		return `${family} ${classes} classes, ${probes} probes, ${times.toSorted((one, other) => one - other)[2]!.toFixed(1)} ms`;
	}).join('; ');
}

/** Measures and returns the lines. */
export async function measureClasses(): Promise<readonly string[]> {
	const lines = ['\nrepresentative probes, and the time to find them (median of 5; target: under 100 ms)\n'];
	for (const [name, source] of [['default', 'release:1.30'], ['DNS capture', 'release:1.30 --redirect-dns'], ['all options', everything]] as const) {
		lines.push(`  ${name.padEnd(12)} ${cutTimes(source)}\n`);
	}

	const pair = ['diff', 'release:1.24', 'release:1.30'];
	const times: number[] = [];
	for (let round = 0; round < 5; round++) {
		const [ms] = await timed(async () => testbed(pair)); // eslint-disable-line no-await-in-loop -- In parallel they would disturb each other.
		times.push(ms);
	}

	const [, baseline] = await timed(async () => testbed(['baseline', 'create', 'release:1.30']));
	return [
		...lines,
		`\ntestbed ${pair.join(' ')} (whole command, median of 5; target: under 3 s)\n  ${(times.toSorted((one, other) => one - other)[2]! / 1000).toFixed(2)} s\n`,
		`\ntestbed baseline create release:1.30 (target: under 200 kB)\n  ${(baseline.length / 1000).toFixed(1)} kB\n`,
	];
}
