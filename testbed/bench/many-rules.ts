/**
Measures rule sets with thousands of rules for `npm run bench`: how long it takes to divide packets into classes, and to compare a file with itself.

Learned (2 cores, Node 20.20, Linux 6.18; user time, because the machine was shared):
- Checking each condition against each interval of its field was 60% of the old algorithm, which took 7.2 s for 1,000 ranges, compared to 0.5 s now; copying a set's state for each rule that it only passed was most of the rest. 10,000 ranges take 3.2 s.
- Reading the intervals of a set bit by bit, by shifting a number of thousands of bits, made finding the representatives of 10,000 classes take 24 s; through its hexadecimal digits it takes 0.3 s.
- V8 hashes BigInts by their lowest 64 bits only, so a `Set` or `Map` keyed by interval sets or IPv6 networks degrades to a list.
- The rest of the whole command with 1,000 and more rules is spread out: the kernel (which checks a chain rule by rule, some 0.2 µs each), the tools' listings, joining. A larger young generation of V8's heap (`--max-semi-space-size`) gained nothing.
*/

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {performance} from 'node:perf_hooks';
import {defaultTopology} from '../../src/mesh/topology.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import {classify, defaultClassLimit} from '../../src/packet-classes/classify.js';
import {ClassLimitError} from '../../src/packet-classes/limit.js';
import {representativesOf} from '../../src/packet-classes/representatives.js';
import {run} from '../system/exec.js';
import {packageRoot} from '../system/package-root.js';

const launcher = path.join(packageRoot, 'bin/testbed');
const sizes = [300, 1000, 2000, 10_000] as const;

/** /24s whose targets alternate between RETURN and REDIRECT. */
export function rangeRules(count: number): string {
	return natTable('RANGES', Array.from({length: count}, (_, index) => `-d 10.${(index >> 8) & 255}.${index & 255}.0/24 ${index % 2 === 0 ? '-j RETURN' : '-p tcp -j REDIRECT --to-ports 15001'}`));
}

/** Ports, ranges, users, marks and negations, the same every time. */
export function mixedRules(count: number): string {
	const random = lcg(14);
	const conditions = [
		() => `-p tcp -m tcp --dport ${1 + random(60_000)}`,
		() => `-d 10.${random(256)}.${random(256)}.0/24`,
		() => `-m owner --uid-owner ${random(4000)}`,
		() => `-m owner ! --uid-owner ${random(4000)} -m owner --gid-owner ${random(4000)}`,
		() => `-m mark --mark 0x${random(200).toString(16)}`,
		() => `-p tcp -m tcp --dport ${1 + random(60_000)} -m owner --uid-owner ${random(4000)}`,
		() => `! -d 10.${random(256)}.${random(256)}.0/24 -p tcp -m tcp --dport ${1 + random(60_000)}`,
	];
	// Without a rule that needs conntrack, packets would not reach nat at all.
	const first = '-d 192.0.2.1/32 -p tcp -j REDIRECT --to-ports 15001';
	return natTable('MIXED', [first, ...Array.from({length: count - 1}, (_, index) => `${conditions[random(conditions.length)]!()} ${index % 2 === 0 ? '-j RETURN' : '-j ACCEPT'}`)]);
}

function natTable(chain: string, rules: readonly string[]): string {
	return ['*nat', ':PREROUTING ACCEPT [0:0]', ':INPUT ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ':POSTROUTING ACCEPT [0:0]', `:${chain} - [0:0]`, `-A OUTPUT -p tcp -j ${chain}`, ...rules.map(rule => `-A ${chain} ${rule}`), 'COMMIT', ''].join('\n');
}

/** Whole numbers below a bound, the same from the same seed (Numerical Recipes' generator). */
function lcg(seed: number): (below: number) => number {
	let state = seed;
	return below => {
		state = ((Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
		return Math.floor(state / 0x1_00_00_00_00 * below);
	};
}

function cutLine(name: string, text: string): string {
	const programs = [0, 1].map(() => ({ruleSet: parseSave(text, 'ipv4'), localMarks: []}));
	const before = process.cpuUsage();
	try {
		const classSet = classify(programs, {family: 'ipv4', topology: defaultTopology});
		const cut = process.cpuUsage(before).user / 1000;
		const probes = representativesOf(classSet, defaultTopology).length;
		return `  ${name.padEnd(14)} ${String(classSet.classes.length).padStart(7)} classes, ${String(probes).padStart(7)} probes ${cut.toFixed(0).padStart(7)} ms, including the choice of probes ${(process.cpuUsage(before).user / 1000).toFixed(0).padStart(7)} ms\n`;
	} catch (error) {
		if (!(error instanceof ClassLimitError)) {
			throw error;
		}

		return `  ${name.padEnd(14)} more than ${defaultClassLimit} classes, reported after ${(process.cpuUsage(before).user / 1000).toFixed(0)} ms\n`;
	}
}

/** Measures and returns the lines. */
export async function measureManyRules(): Promise<readonly string[]> {
	const lines = ['\ndividing packets by a rule set and itself (user time)\n'];
	for (const size of sizes) {
		lines.push(cutLine(`${size} ranges`, rangeRules(size)));
	}

	lines.push(cutLine('1000 mixed', mixedRules(1000)), '\ntestbed diff FILE FILE, ranges of addresses (whole command)\n');
	const folder = mkdtempSync(path.join(os.tmpdir(), 'testbed-bench-'));
	try {
		for (const size of sizes) {
			const file = path.join(folder, `${size}.rules`);
			writeFileSync(file, rangeRules(size));
			const begun = performance.now();
			await run(process.execPath, [launcher, 'diff', file, file, '--family', 'ipv4'], {acceptStatus: [0, 1, 3]}); // eslint-disable-line no-await-in-loop -- In parallel they would disturb each other.
			lines.push(`  ${String(size).padStart(6)} rules ${((performance.now() - begun) / 1000).toFixed(1).padStart(7)} s\n`);
		}
	} finally {
		rmSync(folder, {recursive: true});
	}

	return lines;
}
