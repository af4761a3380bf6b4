/**
Measures rule sets with thousands of rules for `npm run bench`: dividing packets into classes, comparing a file with itself, and running and probing the rules of a node. With `--old FOLDER`, the commands are also measured with the build in that folder, in turn with this one.

Learned (2 cores, Node 20.20, Linux 6.18; processor time, because the machine was shared):
- Checking each condition against each interval of its field was 60% of the first algorithm, which took 7.2 s for 1,000 ranges, compared to 0.5 s with an index; copying a set's state for each rule that it only passed was most of the rest. A rule set that is the same as another is not walked again: 10,000 ranges with themselves take 1.0 instead of 3.3 s.
- Reading the intervals of a set bit by bit, by shifting a number of thousands of bits, made finding the representatives of 10,000 classes take 24 s; through its hexadecimal digits it takes 0.3 s.
- V8 hashes BigInts by their lowest 64 bits only, so a `Set` or `Map` keyed by interval sets or IPv6 networks degrades to a list.
- Each of these ranges with REDIRECT loops, because they exempt no user: nine legs per probe, through all rules. Ending a loop after two equal rounds (model/loop.ts) made 1,000 ranges take 4.3 instead of 5.9 s, and 10,000 31 instead of 59 s.
- Each rule was parsed seven times per side: as given, checked, normalized twice, as listed, and normalized twice again. Parsing each text once (text-memo.ts) saved 0.4 s of 1,000 ranges.
- `nft -j list ruleset` of 10,000 rules takes 0.3 s, and reading its JSON as long, after each batch; the same by netlink takes 0.02 s (sandbox/nft-dump.ts).
- What remains of 10,000 ranges is the kernel, which checks a chain rule by rule: some 30 ns each, 14 s of 26. That part grows with the square of the number of rules.
- Building sandboxes and installing rules while packets are divided hides most of that work only if the division yields often: every 8 ms, since an installation takes some ten turns; with 50 ms it gained nothing.
- `run` and `probe` with a node's 10,500 rules: the search for the rules of a hook looked up each of 2,300 chains in a list, the mesh was recognized again each time, and nft's JSON was parsed twice. What remains of 3 s is reading the rules (1 s), nft's two listings (0.7 s) and garbage.
- `probe --batch` sent 14,000 probes a second through a prober that can do 28,000 (prober.ts): of 92 µs of processor time for each, 55 were the main thread's, which read, sent and printed 16,384 lines one after the other; and all of them survived several collections of garbage. Reading and printing while the next 2,048 lines are being sent, with a second sandbox: 21,400 (a chunk of 1,024 to 4,096 makes no difference). Then 18.8 kB of new objects for each probe became 12: an object that begins with a spread and then grows field by field costs ten times one literal (the request alone 1.8 kB), and texts of a path are the same for all probes with the same hits: 28,000 with 68 µs, of which 41 are the kernel's. The second sandbox is the price: 210 instead of 157 MiB.
- A single large rule set in two sandboxes: see `piecesOf` in analysis/probe-classes.ts.
- No gain from: batches that are cut so that each is joined while the next is sent, if the call has only a thousand probes; flags of V8 (--always-sparkplug, --maglev, --no-lazy-feedback-allocation, --interrupt-budget); a larger young generation of V8's heap (`--max-semi-space-size`); larger batches; starting the thread that reads the trace while packets are divided, which keeps both cores busy as it is (0.97 to 0.99 ×; a machine with more of them was not measured); sharing a class's two probes (the one at the edge is what finds a range that is off by one).
*/

import process from 'node:process';
import {defaultTopology} from '../../src/mesh/topology.js';
import {backends} from '../../src/netfilter/types.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import {classify, defaultClassLimit} from '../../src/packet-classes/classify.js';
import {ClassLimitError} from '../../src/packet-classes/limit.js';
import {representativesOf} from '../../src/packet-classes/representatives.js';
import {
	mixedRules, nodeRules, probeLines, rangeRules,
} from './big-rule-sets.js';
import {compareCommands, headingOfRows, type Comparison, type Row} from './compared-commands.js';

const sizes = [300, 1000, 2000, 10_000] as const;
/** 10,500 rules, and seven that every node has. */
const node = {services: 750, endpoints: 4} as const;

const toItself: Row['words'] = ({file}) => ['diff', file, file, '--family', 'ipv4'];
const rows: readonly Row[] = [
	{
		name: 'diff, 300 ranges', text: rangeRules(300), words: toItself, goal: '0.8 s',
	},
	{
		name: 'diff, 1,000 ranges', text: rangeRules(1000), words: toItself, goal: '1.5 s, 8 ×',
	},
	{
		name: 'diff, 2,000 ranges', text: rangeRules(2000), words: toItself, goal: '3 s',
	},
	{
		name: 'diff, 10,000 ranges', text: rangeRules(10_000), words: toItself, goal: '30 s, 1,000 MiB', limitSeconds: 120,
	},
	{
		name: 'diff, 1,000 mixed', text: mixedRules(1000), words: toItself, goal: 'a bound in 5 s', limitSeconds: 120,
	},
	{
		name: 'run, a node\'s rules', text: nodeRules(node), words: ({file}) => ['run', '--rules', file], goal: '2 s',
	},
	{
		name: 'probe, a node\'s rules', text: nodeRules(node), words: ({file}) => ['probe', '--rules', file, '--from', 'app', '--to', '10.96.18.44:80'], goal: '2 s',
	},
	{
		name: 'mutate, 2,000 ranges', text: rangeRules(2000), words: ({file}) => ['mutate', file, '--family', 'ipv4', '--sample', '4'], goal: '500 MiB', limitSeconds: 120,
	},
	...backends.map((backend): Row => ({
		name: `batch, ${backend}`, text: probeLines(200_000), words: ({file}) => ['probe', '--batch', file, '--backend', backend], goal: '8 s, 1.6 ×',
	})),
];

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
export async function measureManyRules(comparison: Comparison): Promise<readonly string[]> {
	const lines = ['\ndividing packets by a rule set and itself (user time)\n'];
	for (const size of sizes) {
		lines.push(cutLine(`${size} ranges`, rangeRules(size)));
	}

	lines.push(
		cutLine('1000 mixed', mixedRules(1000)),
		headingOfRows('commands on large rule sets, and probe --batch of 200,000 lines', comparison),
		...await compareCommands(rows, comparison),
	);
	return lines;
}
