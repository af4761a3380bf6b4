/**
Measures mutants for `npm run bench`: which share of the defects in a rule set the six types, the scenarios and the complete probes detect.

Learned (2 cores, Node 20.20, Linux 6.18):
- Most mutants have the same classes as the original, so the original has to be probed for only about every second mutant.
- A killed mutant needs no further cases. The six types and the scenarios share one run as far as their actors allow.
- Most of the time was waiting: 5 s for datagrams whose ICMP error the kernel's rate limit had dropped (1 of 12 mutants), 250 ms for sockets bound to a device, in nearly every run. Then came the conntrack entries of all earlier mutants, which were read and parsed again after each run. Without all that, 45 → 32 s of processor time (151 mutants, three sets), a quarter of it for the tools and a fifth for the actors' processes.
- A case whose packets never came to the changed rule cannot notice it (mutation/farthest-rules.ts): four fifths of the cases of a sidecar's rules, a quarter of the processor time (62 → 47 s on a slow machine, with the next).
- The original and its mutants, and the runs of one sandbox, started twice as many processes as they needed: 63 → 29 for 40 mutants (run/run-queue.ts, run/sandbox-pool.ts).
- Of 107 ms that the main thread worked for each mutant, it waited another 57 for tools to start. Starting them without waiting gained nothing: two processors are busy all the time.
- Then two processors were idle for a third of the time: each rule set waits in the kernel, 16 ms for each program that deleted something (sandbox/own-table.ts) and, until nothing is left to do, for answers that cannot come. The trace table was replaced for each run, now it is kept: 18.5 → 16.5 s for release:1.30.
- The original's probes are sent once for all jobs, and one job more than processors fills the waits: → 13.5 s. With each job sending its own, more jobs had no effect.
- Whoever looks at the connections of a namespace reads a table with those of the whole machine (findings/proc-net-tcp-of-empty-netns.sh), 16 ms for each look at what is lost, on the thread that all jobs share. With small tables for each namespace (sandbox/netns.ts) it is 2 ms: 12.1 → 11.4 s, side by side on a fast day. That was taken back once, because three tests of Envoy then failed now and then: they, and the count of Envoy's connections, had relied on the slow reading. With it, looking every 5 ms instead of 20 gains nothing.
- On a machine on which everything took two and a half times as long, release:1.30 took 27 s, and the build of 5349751 only 3.5 to 4.0 times that instead of 6.3. Why is not known; the build before that day took as long.
- No gain from: sending the actors' records in batches instead of one by one (10.44 to 10.46 s); fewer threads, a larger young generation or no optimizing compiler of V8.
- Reading counters and owners by netlink after each run instead of by nft and its JSON: 19.3 → 16.8 s, 31.8 → 27.2 s of processor time (that slow machine; two pairs). What is left there: a quarter for the actors' processes (58), a seventh for tools, a sixth for V8's helper threads, the rest for the main thread.
*/

import {scoresOf, type MutationReport} from '../../src/report/mutation/types.js';
import {describeCounts, describeMutant, printScore} from '../../src/report/mutation/describe.js';
import {defaultJobs} from '../cli/parsers.js';
import {casesOf, loadCasesInput} from '../cli/commands/test-cases.js';
import {usualCredentials} from '../inputs/credentials.js';
import {mutateInput} from '../analysis/mutate.js';
import type {CaseOptions} from '../analysis/test-cases.js';
import {defaultBufferBytes} from '../tracer/trace-source.js';

const family = ['ipv4'] as const;

/** DNS capture has five times as many packet classes, so only a sample of its mutants is tried. */
const sets: ReadonlyArray<{readonly source: string; readonly sample?: number}> = [{source: 'release:1.30'}, {source: 'release:1.30 --redirect-dns', sample: 60}];

async function mutate(source: string, sample: number | undefined): Promise<MutationReport> {
	const input = loadCasesInput(source, {family});
	const credentialsOf = (...known: Parameters<typeof usualCredentials> extends [unknown, ...infer Rest] ? Rest : never) => usualCredentials({}, ...known);
	const options: CaseOptions = {
		families: family,
		credentials: credentialsOf(input.intent, input),
		timeoutMs: 5000,
		traceBufferBytes: defaultBufferBytes,
		signal: new AbortController().signal,
		onProgress: () => undefined,
	};
	return mutateInput({
		...options, input, cases: casesOf(['types', 'scenarios'], input, {options, credentialsOf}), isCompleteChosen: true, jobs: defaultJobs, sample,
	});
}

/** Tries the mutants and returns the lines. */
export async function measureMutants(): Promise<readonly string[]> {
	const lines = ['\nmutants detected (target: the complete probes detect all that differ; all others are proven equivalent)\n'];
	for (const {source, sample} of sets) {
		const report = await mutate(source, sample); // eslint-disable-line no-await-in-loop -- One set at a time.
		const byPaths = report.results.filter(({mutantStatus}) => mutantStatus.kind === 'differs' && !mutantStatus.isByStops);
		lines.push(
			`  ${source}${sample === undefined ? '' : `, a sample of ${sample}`}: ${describeCounts(report)}, in ${(report.durationMs / 1000).toFixed(1)} s\n`,
			...scoresOf(report).flatMap(score => [
				`    ${score.cases.padEnd(18)} ${printScore(score)}\n`,
				...(score.byStops === undefined ? [] : [`    ${'complete, by stops'} ${printScore(score.byStops)}\n`]),
			]),
			...byPaths.map(({mutant}) => `    differs only in rules: ${describeMutant(mutant)}\n`),
			...report.results.filter(({mutantStatus}) => mutantStatus.kind === 'inconclusive').map(({mutant}) => `    inconclusive: ${describeMutant(mutant)}\n`),
		);
	}

	return lines;
}
