/**
Measures the prober for `npm run bench`: how many probes per second get a complete path, compared with the same thread without a trace; whether memory stays flat; and what a probe costs as rules grow.

Learned (2 cores, Node 20.20, Linux 6.18; phases timed, threads profiled with --cpu-prof). On an idle machine 40,000 complete paths per second on iptables-nft, 36,000 on legacy, 42,000 on nftables, where 25,000 to 28,000 were possible before what follows; half of that if other processes use the cores. On a busy one, `echo -20 > /proc/self/autogroup` in a session of its own (setsid) gives figures that can be compared.
- Of 195 ms for a batch of 4,096, sending took some 172 ms, reading the counters 10, joining 12, passing on the rows 3. So a batch is joined while the next one is sent, and rows and counters are read at the same time. The sending thread spends its time in the kernel: two thirds in `connect`, a third of that in writing trace messages; 6% each in `socket` and `close`.
- A change of credentials costs a microsecond, ten times a cheap call (8% of the sender with a change at each probe), so the probes of one owner go together.
- The reader is woken after 32 probes and does not wait on the socket. Waking it after each probe reduced 17,000 per second to 10,500.
- It reads up to 256 messages in one call (recvmmsg). Each kind of message is decoded once, and each sequence of kinds assembled once. A message is compared with those that have followed the one before, word by word; only if it is like none of them are its attributes searched. That, plain arrays in place of typed ones, and maps that remember the last key reduced reading and assembling from 5.7 to 2.0 µs per probe, replayed without a kernel. The kernel's part of reading, 0.6 µs per message, is now more than ours.
- `accept` in the trace table's rules, and tracing only first packets, save messages. So does an `accept` at the end of a chain without other rules: one message instead of two (11 messages per probe became 9).
- A second `connect` learns the end of a connection. SO_ERROR would be cheaper, but one that was refused would have to be told from one that is still open, so it is asked only of the latter.
- Two connections of a batch can get the same five-tuple from the kernel, long before ports run out (a few times in a million): the batch then ends, and continues after conntrack is flushed.
- Preceding rules cost the same as without a trace (16 ns each); our own part only grows by reading their counters, once per batch: 260 ms for 10,000 rules as a listing of nft, a quarter of that by netlink.
- Of 36 µs of processor time per probe (50 before), the sender takes 18, the reader 8, joining 5, the garbage collector's threads 3. The sender is the limit.
- Memory of 100,000 probes in a row, alone in a process: 200 MiB at the end and 230 at most, then 129 and 133. Node by itself takes 39, of which 35 are its program, and 62 with our code loaded. Of the rest, little was in use: 17 MiB of old objects among 80, in a young generation of 32; 42 for the reader, which keeps 4. What helped: packets of a batch in one array instead of objects (reader 42 → 14 MiB, and less work); 2.5 instead of 4.6 kB of new objects per probe, by numbers instead of texts as keys, `map` instead of `filter` for what is kept, and loops without `entries`; a young generation of 4 MiB in the reader, which costs nothing now that a batch of packets is no longer in it; holding the main thread's heap (heap-growth.ts). A million probes in a row end with as much as 100,000.
- Only one of the latter two does little: with a young generation of 4 MiB more objects get old, and with a growth of a half alone the young one takes 32 MiB.
- With iptables-legacy the buffers of two sockets come in turn, and each change of buffer made a new scanner with an array of 128 KiB, which malloc's heap kept: 171 MiB, 138 with a scanner for each buffer.
- The sender is at its limit with 33 µs for each probe, 31 of them in the kernel, while all other threads together use 15 of another processor: two probers in two sandboxes send 40,000 to 48,000 instead of 27,000 to 31,000 a second, three no more than two.
- No gain from: batches of 8,192; a processor of its own for the sender (taskset). mallopt(M_TRIM_THRESHOLD) saves 5 MiB, malloc_trim 7 (of 26 that malloc has, 10 are in use; the rest is what V8's own threads have left). --optimize-for-size as a flag of Node's start ends with 121 MiB, and costs 15 of 27 µs in user mode: a young generation of 1 MiB and a growth by a third.
*/

import process from 'node:process';
import {performance} from 'node:perf_hooks';
import {defaultBackend, factsOf, type TraceStream} from '../../src/netfilter/backends.js';
import {backends, type Backend, type RuleSet} from '../../src/netfilter/types.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {LockFile} from '../system/lock-file.js';
import {encodeBatch} from '../prober/encode.js';
import {Conntrack} from '../sandbox/conntrack.js';
import {Prober} from '../prober/prober.js';
import {sharedMemory, type SenderAnswer} from '../prober/protocol.js';
import {startSender} from '../prober/sender.js';
import {loadRuleInput} from '../inputs/rules.js';
import {installRules} from '../sandbox/install.js';
import {Sandbox} from '../sandbox/sandbox.js';

const families = ['ipv4'] as const;
const {places} = defaultTopology;
const batchSize = 4096;

/** Probes like those a sidecar sees: from three owners, to four places. */
export function benchRequests(count: number): readonly ProbeRequest[] {
	const destinations = [{address: places.remote.ipv4, port: 8080}, {address: places.pod.ipv4, port: 8080}, {address: '127.0.0.1', port: 8080}, {address: places.istiod.ipv4, port: 15_012}];
	const owners = [0, 1337, 1000];
	return Array.from({length: count}, (_, index) => ({
		id: String(index), from: 'pod', uid: owners[index % 3]!, gid: owners[index % 3]!, protocol: 'tcp', to: destinations[index % 4]!,
	}));
}

/** Runs `act` in a new sandbox with the rules installed. */
async function withRules<T>(backend: Backend, ruleSet: RuleSet, act: (sandbox: Sandbox, installed: RuleSet) => Promise<T>): Promise<T> {
	await using sandbox = Sandbox.create();
	await sandbox.configure(defaultTopology);
	await using lockFile = await LockFile.create();
	const installed = await installRules(sandbox.pod, {
		ruleSet, backend, families, lockFile: lockFile.path,
	});
	const result = await act(sandbox, installed);
	return result;
}

/** Connections per second that the sending thread opens and closes without tracing and joining. */
async function untracedRate(sandbox: Sandbox, requests: readonly ProbeRequest[]): Promise<number> {
	using conntrack = new Conntrack(sandbox.pod);
	await using sender = await startSender({
		netns: sandbox.pod.descriptor, quietNetns: sandbox.remote.descriptor, memory: sharedMemory(0x7F_FF_FF_FF),
	}, 'pod');
	let [sent, ms] = [0, 0];
	for (let start = -2 * batchSize; start < requests.length; start += batchSize) {
		const isWarming = start < 0; // New threads compile their code first.
		const {request} = encodeBatch(requests.slice(Math.max(0, start), Math.max(0, start) + batchSize));
		conntrack.flush();
		const from = performance.now();
		sender.tell(request);
		const {tried} = await sender.next<SenderAnswer, 'sent'>('sent'); // eslint-disable-line no-await-in-loop -- Sequentially, like the prober.
		ms += isWarming ? 0 : performance.now() - from;
		sent += isWarming ? 0 : tried;
	}

	return 1000 * sent / ms;
}

type Figures = {readonly perSecond: number; readonly whole: number; readonly repeated: number};

async function tracedRate(prober: Prober, requests: readonly ProbeRequest[]): Promise<Figures> {
	const before = prober.repeated;
	const start = performance.now();
	const answers = await prober.probe(requests);
	return {
		perSecond: 1000 * requests.length / (performance.now() - start),
		whole: answers.filter(({leg, gaps}) => leg !== undefined && leg.traversals.length > 0 && gaps.length === 0).length,
		repeated: prober.repeated - before,
	};
}

function median(values: readonly number[]): number {
	return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Target rates in probes per second, on a quiet machine. */
const targets: Readonly<Record<TraceStream, number>> = {nft: 25_000, nflog: 25_000};

/** Measures the untraced and the traced rate alternately, so that a slow minute affects both. */
async function rateLine(backend: Backend, rounds: number): Promise<string> {
	const {ruleSet} = loadRuleInput({
		source: 'release:1.30', source6: undefined, families, backend,
	});
	const target = targets[factsOf(backend).traceStream];
	const requests = benchRequests(3 * batchSize);
	return withRules(backend, ruleSet, async (sandbox, installed) => {
		const [ceilings, rates]: [number[], number[]] = [[], []];
		for (let round = 0; round < rounds; round++) {
			ceilings.push(await untracedRate(sandbox, requests)); // eslint-disable-line no-await-in-loop -- Alternately.
			await using prober = await Prober.create({ // eslint-disable-line no-await-in-loop -- Alternately.
				sandbox, backend, families, ruleSet: installed, batchSize,
			});
			await tracedRate(prober, requests.slice(0, 2 * batchSize)); // eslint-disable-line no-await-in-loop -- New threads compile their code first.
			const {perSecond, whole} = await tracedRate(prober, requests); // eslint-disable-line no-await-in-loop -- Alternately.
			rates.push(whole === requests.length ? perSecond : 0);
		}

		const [ceiling, rate] = [median(ceilings), median(rates)];
		return `  ${backend.padEnd(16)}${ceiling.toFixed(0).padStart(8)}/s untraced${rate.toFixed(0).padStart(8)}/s complete paths (target ${target})   ratio ${(rate / ceiling).toFixed(2)} (target 0.40)\n`;
	});
}

/** Probes `total` times, in ten steps. */
async function longLines(total: number): Promise<readonly string[]> {
	const {ruleSet} = loadRuleInput({source: 'release:1.30', source6: undefined, families});
	return withRules(defaultBackend, ruleSet, async (sandbox, installed) => {
		await using prober = await Prober.create({
			sandbox, backend: defaultBackend, families, ruleSet: installed, batchSize,
		});
		const requests = benchRequests(Math.min(10_000, total));
		const lines: string[] = [];
		const start = performance.now();
		let [sent, whole, shown] = [0, 0, 0];
		let since = start;
		while (sent < total) {
			const figures = await tracedRate(prober, requests.slice(0, total - sent)); // eslint-disable-line no-await-in-loop -- Sequentially.
			whole += figures.whole;
			sent += Math.min(requests.length, total - sent);
			if (sent - shown >= total / 10) {
				globalThis.gc?.();
				const now = performance.now();
				lines.push(`  ${String(sent).padStart(7)} probes   RSS ${(process.memoryUsage().rss / (1 << 20)).toFixed(0).padStart(4)} MiB   ${(1000 * (sent - shown) / (now - since)).toFixed(0).padStart(6)}/s\n`);
				[shown, since] = [sent, now];
			}
		}

		return [...lines, `  ${sent} in ${((performance.now() - start) / 1000).toFixed(1)} s: ${whole} complete, ${sent - whole} lost, ${prober.repeated} sent again\n`];
	});
}

/** Preceding rules that no probe matches: the kernel checks each of them, the testbed none. */
function rulesInFront(count: number): RuleSet {
	const lines = Array.from({length: count}, (_, index) => `-A OUTPUT -p tcp -m tcp --dport ${20_000 + (index % 40_000)} -m owner --uid-owner ${5000 + index} -j RETURN`);
	return parseSave(`*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n${lines.join('\n')}\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n`, 'ipv4');
}

async function growthLine(rules: number): Promise<string> {
	// At least one batch of the size that the prober uses for so many rules.
	const requests = benchRequests(4 * batchSize);
	return withRules(defaultBackend, rulesInFront(rules), async (sandbox, installed) => {
		const ceiling = await untracedRate(sandbox, requests.slice(0, batchSize));
		await using prober = await Prober.create({
			sandbox, backend: defaultBackend, families, ruleSet: installed,
		});
		await tracedRate(prober, requests.slice(0, batchSize));
		const {perSecond, whole} = await tracedRate(prober, requests);
		const [kernel, all] = [1_000_000 / ceiling, 1_000_000 / perSecond];
		return `  ${String(rules).padStart(6)} rules   ${all.toFixed(0).padStart(5)} µs/probe, of which ${kernel.toFixed(0).padStart(5)} µs without a trace; trace and joining ${(all - kernel).toFixed(0).padStart(5)} µs   ${whole} of ${requests.length} complete\n`;
	});
}

/** Measures everything and returns the lines. `total` is how many probes one prober sends in a row, to show that memory stays flat. */
export async function measureProber(total: number, rounds = 5): Promise<readonly string[]> {
	const lines = ['\nprobes, first packets with their complete path (medians)\n'];
	for (const backend of backends) {
		lines.push(await rateLine(backend, rounds)); // eslint-disable-line no-await-in-loop -- In parallel they would disturb each other.
	}

	lines.push(`\nprobes in a row, ${defaultBackend} (target: none lost, memory flat)\n`, ...await longLines(total), `\nprobes with more and more preceding rules, ${defaultBackend} (target: our own part is constant)\n`);
	for (const rules of [10, 100, 1000, 10_000]) {
		lines.push(await growthLine(rules)); // eslint-disable-line no-await-in-loop -- As above.
	}

	return lines;
}
