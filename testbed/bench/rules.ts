/**
Measures rule sets for `npm run bench`: generating them, reading and printing dumps, and running many.

Learned (2 cores, Node 20.20, Linux 6.18):
- Forking the actors is most of a run: in a reused sandbox, a rule set costs some 80 to 150 ms of wall time, in a new one 300 to 400. Two sandboxes at once use both cores; a third gains nothing.
- Of the processor time of all scenarios, half was the start of Node for 64 listening processes; two workers each had a sandbox for every group of runs. With one worker for each small group there are 39: 12.3 → 10.4 s (an older set of scenarios, on a slow machine).
- Reading a dump used to be quadratic because of `splice` and of arrays copied per rule; now the time per rule is constant from 1,000 to 20,000 rules.
*/

import process from 'node:process';
import {performance} from 'node:perf_hooks';
import {parseNft, printNft} from '../../src/netfilter/nftables/ruleset.js';
import {importRules} from '../../src/netfilter/import/import-rules.js';
import {printSave} from '../../src/netfilter/iptables/save.js';
import {defaultTypesOf} from '../../src/mesh/traffic-types.js';
import {credentialsOf} from '../inputs/credentials.js';
import {generationRate} from '../conformance/rate.js';
import type {RunOptions} from '../run/options.js';
import {loadRuleInputs} from '../inputs/rules.js';
import {runMany} from '../run/run-many.js';
import {runTestbed} from '../run/run.js';
import {defaultBufferBytes} from '../tracer/trace-source.js';

const families = ['ipv4'] as const;
const sizes = [1000, 2000, 5000, 10_000, 20_000] as const;

/** Rules of several kinds, as in a node's dump. */
function saveOf(rules: number): string {
	const kinds = [
		(index: number) => `-A KUBE-SERVICES -d 10.${(index >> 8) & 255}.${index & 255}.1/32 -p tcp -m comment --comment "ns/svc-${index}:http cluster IP" -m tcp --dport 80 -j KUBE-SVC`,
		(index: number) => `-A KUBE-SVC -m statistic --mode random --probability 0.33333333349 -m comment --comment "svc-${index}" -j MARK --set-xmark 0x4000/0x4000`,
		(index: number) => `-A KUBE-SVC -p tcp -m tcp -j DNAT --to-destination 10.244.${index & 255}.7:8080`,
		(index: number) => `-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -p tcp -m tcp ! --dport ${index % 60_000} -m owner --uid-owner ${index} -j RETURN`,
	];
	const lines = Array.from({length: rules}, (_, index) => kinds[index % kinds.length]!(index));
	return `*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n:ISTIO_OUTPUT - [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC - [0:0]\n${lines.join('\n')}\nCOMMIT\n`;
}

function nftOf(rules: number): string {
	const lines = Array.from({length: rules}, (_, index) => `\t\toifname "lo" ip daddr != 127.0.0.1 tcp dport != ${(index % 60_000) + 1} meta skuid ${index} counter return`);
	return `table inet many {\n\tchain output {\n\t\ttype nat hook output priority -100; policy accept;\n${lines.join('\n')}\n\t}\n}\n`;
}

/** The minimum of several times, which is what it takes on an idle core. */
function leastMs(act: () => void, times = 5): number {
	return Math.min(...Array.from({length: times}, () => {
		const start = performance.now();
		act();
		return performance.now() - start;
	}));
}

function dumpLines(): readonly string[] {
	const per = (ms: number, rules: number) => `${ms.toFixed(0).padStart(6)} ms ${(1000 * ms / rules).toFixed(1).padStart(6)} µs/rule`;
	return [
		'\nreading and printing a dump (target: 10,000 rules under 500 ms, constant time per rule)\n',
		...sizes.map(rules => {
			const [save, nft] = [saveOf(rules), nftOf(rules)];
			const ofSave = leastMs(() => {
				printSave(importRules(save).ruleSet, 'ipv4');
			});
			const ofNft = leastMs(() => {
				printNft(parseNft(nft));
			});
			return `  ${String(rules).padStart(6)} rules   iptables-save ${per(ofSave, rules)}   nft ${per(ofNft, rules)}\n`;
		}),
	];
}

function optionsFor(source: string): readonly RunOptions[] {
	return loadRuleInputs({source, families}).inputs.map(rules => ({
		rules,
		families,
		types: defaultTypesOf(rules.mesh.traffic),
		credentials: credentialsOf({appUid: 1000}, rules.intent),
		timeoutMs: 5000,
		traceBufferBytes: defaultBufferBytes,
		signal: new AbortController().signal,
		onProgress: () => undefined,
	}));
}

async function timed(act: () => Promise<unknown>): Promise<number> {
	const start = performance.now();
	await act();
	return performance.now() - start;
}

async function manyLines(): Promise<readonly string[]> {
	const all = optionsFor('release:all');
	const memory: number[] = [];
	let ended = 0;
	const wholeMs = await timed(async () => runMany(all, {
		jobs: 2,
		onEntry() {
			if (++ended % Math.ceil(all.length / 4) === 0 || ended === all.length) {
				memory.push(process.memoryUsage().rss / (1 << 20));
			}
		},
	}));
	const sample = all.slice(0, 6);
	const aloneMs = await timed(async () => {
		for (const options of sample) {
			await runTestbed(options); // eslint-disable-line no-await-in-loop -- Sequential runs are what is measured.
		}
	});
	const [perRun, alone] = [wholeMs / all.length, aloneMs / sample.length];
	return [
		'\nsix types with all default releases, both iptables back ends (target: 15 s)\n',
		`  ${all.length} runs in ${(wholeMs / 1000).toFixed(1)} s, ${perRun.toFixed(0)} ms each; alone, one after the other ${alone.toFixed(0)} ms each: ratio ${(alone / perRun).toFixed(1)}\n`,
		`  memory after each quarter: ${memory.map(mib => `${mib.toFixed(0)} MiB`).join(', ')}\n`,
	];
}

/** Measures all of them and returns the lines. */
export async function measureRules(): Promise<readonly string[]> {
	const [asTheyStand, fresh] = [false, true].map(isFresh => generationRate({durationMs: 1000, fresh: isFresh}));
	return [
		'\ngenerating a rule set from a command line, all releases (target: 5,000 per second)\n',
		`  random option sets ${asTheyStand!.toFixed(0)} per second; with fresh values ${fresh!.toFixed(0)}: ratio ${(fresh! / asTheyStand!).toFixed(2)}\n`,
		...dumpLines(),
		...await manyLines(),
	];
}
