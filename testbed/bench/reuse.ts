/**
Measures what a change of rules costs the prober, for `npm run bench`: another rule set and 200 probes through it, in a reused sandbox, in two at once, and in a new one for each set.

Learned (2 cores, Linux 6.18): most of a change on iptables-nft is waiting. Its restore, like any nft change that removes something, waits for a grace period of the kernel (15 to 20 ms each); the restores of two families wait one after the other. So two sandboxes, one of which works while the other waits, gain more than any optimization within one.
- The rules are in force before that wait: it is in `close` of the tool's netlink socket, where the kernel finishes the deletions (`nft_rcv_nl_event`). So reading back could overlap with it, if the tool said that it is done.
- Of 70 ms, two listings by nft took 8 to 23 (after the change, and after the probes). Counters are read by netlink instead, which takes less than a millisecond. The read-back of the rules stays with iptables-save and nft.
*/

import {performance} from 'node:perf_hooks';
import {backends, type AddressFamily, type Backend} from '../../src/netfilter/types.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {usualCredentials} from '../inputs/credentials.js';
import {ProberSandbox, type ProberSandboxOptions} from '../probe/prober-sandbox.js';
import {loadRuleInput} from '../inputs/rules.js';

const {places} = defaultTopology;
const variants = ['', ' --redirect-dns', ' -m TPROXY', ' -o 9090', ' -x 10.96.0.0/12'];

function questions(count: number): readonly ProbeSpec[] {
	const targets = [places.remote.ipv4, places.vip.ipv4, places.localhost.ipv4];
	return Array.from({length: count}, (_, index) => {
		const isInbound = index % 3 === 0;
		return {
			id: index, from: isInbound ? 'remote' : 'app', asked: 'a place', to: {address: isInbound ? places.pod.ipv4 : targets[index % targets.length]!, port: [8080, 15_090, 9999, 443, 22][index % 5]!}, family: 'ipv4',
			uid: isInbound ? undefined : [1000, 1337, 0][Math.floor(index / 3) % 3], protocol: 'tcp',
		};
	});
}

function optionsFor(backend: Backend, families: readonly AddressFamily[]): ProberSandboxOptions {
	return {
		backend, families, timeoutMs: 1000, traceBufferBytes: 64 << 20,
	};
}

/** Runs rule sets through one sandbox; returns the number of incomplete results. */
async function runAll(sandbox: ProberSandbox, {backend, families, sets, first = 0}: {
	readonly backend: Backend; readonly families: readonly AddressFamily[]; readonly sets: number; readonly first?: number;
}): Promise<number> {
	let open = 0;
	for (let index = first; index < first + sets; index++) {
		const rules = loadRuleInput({
			source: `release:1.30${variants[index % variants.length]!}`, source6: undefined, families, backend,
		});
		await sandbox.install(rules, usualCredentials({}, rules.intent, rules)); // eslint-disable-line no-await-in-loop -- One rule set at a time.
		const probeResults = await sandbox.send(questions(200), {follow: false}); // eslint-disable-line no-await-in-loop -- As above.
		open += probeResults.filter(({gaps}) => gaps.length > 0).length;
	}

	return open;
}

async function changeLine(backend: Backend, families: readonly AddressFamily[], sets: number): Promise<string> {
	const given = {backend, families, sets};
	const options = optionsFor(backend, families);
	await using one = await ProberSandbox.create(options);
	await using other = await ProberSandbox.create(options);
	let open = await runAll(one, given) + await runAll(other, {...given, sets: 3}); // New threads compile their code first.
	const start = performance.now();
	open += await runAll(one, given);
	const alone = performance.now();
	for (const count of await Promise.all([runAll(one, given), runAll(other, given)])) {
		open += count;
	}

	const both = performance.now();
	for (let index = 0; index < 5; index++) {
		await using fresh = await ProberSandbox.create(options); // eslint-disable-line no-await-in-loop -- One after the other.
		open += await runAll(fresh, {...given, sets: 1, first: index}); // eslint-disable-line no-await-in-loop -- As above.
	}

	const fresh = (performance.now() - both) / 5;
	return `  ${backend.padEnd(16)}${families.join(' and ').padEnd(16)}${((alone - start) / sets).toFixed(0).padStart(5)} ms in one sandbox (target 80)${((both - alone) / sets / 2).toFixed(0).padStart(5)} ms with two at once${fresh.toFixed(0).padStart(6)} ms with a new sandbox each   ${open} incomplete\n`;
}

/** Measures all back ends and returns the lines. */
export async function measureReuse(sets = 30): Promise<readonly string[]> {
	const lines = ['\nanother rule set and 200 probes through it (means)\n'];
	for (const backend of backends) {
		for (const families of [['ipv4'], ['ipv4', 'ipv6']] as const) {
			lines.push(await changeLine(backend, families, sets)); // eslint-disable-line no-await-in-loop -- In parallel they would disturb each other.
		}
	}

	return lines;
}
