/**
The figures of classes for `npm run bench`: how many representative probes a rule set needs and how long they take to find; what a comparison takes, alone and of all releases; how large a baseline is.

Learned (2 cores, Node 20.20, Linux 6.18):
- Cutting packets by walking whole sets of them through the rules needs 32 probes for the default rules; all combinations of what its rules name would be some 20,000.
- A probe that hears no answer costs a time limit, and 1,000 of them that wait for nothing cost more than all else. What the trace shows as delivered is over for datagrams and for invalid packets.
- Probes with a port of their own that share it have to go one after the other: different destination ports spare that.
- Most of a rule set's turn goes to iptables' programs and to RCU's grace periods in the kernel, which two lanes share.
*/

import {performance} from 'node:perf_hooks';
import process from 'node:process';
import path from 'node:path';
import {classify} from '../../src/packet-classes/classify.js';
import {representativesOf} from '../../src/packet-classes/representatives.js';
import {addressFamilies, defaultTopology} from '../../src/scenario/topology.js';
import {programOf} from '../analysis/probe-classes.js';
import {run} from '../system/exec.js';
import {loadRuleInput} from '../inputs/rules.js';
import {packageRoot} from '../system/package-root.js';

const launcher = path.join(packageRoot, 'bin/testbed');
const everything = 'release:1.30 --redirect-dns --drop-invalid -m TPROXY -u 1337,64535 -g 1337,2000 -i 10.0.0.0/8,192.168.0.0/16 -x 10.1.0.0/16,10.2.0.0/16 -o 25,26 -q 27,28 -d 22,23 -k docker0 -c eth1 -b *';
const optionSets = ['release:all', 'release:all --redirect-dns', 'release:all -m TPROXY', 'release:all --redirect-dns --capture-all-dns --drop-invalid'];

async function timed(act: () => Promise<string>): Promise<readonly [ms: number, text: string]> {
	const startedAt = performance.now();
	const text = await act();
	return [performance.now() - startedAt, text];
}

/** A program that may say by its status that something moved. */
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
		const [ms] = await timed(async () => testbed(pair)); // eslint-disable-line no-await-in-loop -- Side by side they would measure each other.
		times.push(ms);
	}

	const [all, text] = await timed(async () => testbed(['diff', '--consecutive', '--since', '1.10', ...optionSets]));
	const [, baseline] = await timed(async () => testbed(['baseline', 'create', 'release:1.30']));
	return [
		...lines,
		`\ntestbed ${pair.join(' ')} (whole command, median of 5; target: under 3 s)\n  ${(times.toSorted((one, other) => one - other)[2]! / 1000).toFixed(2)} s\n`,
		`\nneighbouring releases since 1.10 × ${optionSets.length} option sets, one command (target: under 60 s)\n  ${(all / 1000).toFixed(1)} s   ${text.trim().split('\n').at(-1) ?? ''}\n`,
		`\ntestbed baseline create release:1.30 (target: under 200 kB)\n  ${(baseline.length / 1000).toFixed(1)} kB\n`,
	];
}
