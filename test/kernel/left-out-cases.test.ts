/** Cases that are left out of runs with mutants would have noticed nothing: everything is sent with and without leaving them out. */

import test from 'ava';
import {rulesOfMesh} from '../../src/mesh/mesh.js';
import {mutantsOf, sampleOf} from '../../src/mutation/mutants.js';
import type {Detection} from '../../src/mutation/status.js';
import type {Backend} from '../../src/netfilter/types.js';
import {partOf, runMutants, trustCases} from '../../testbed/analysis/case-runs.js';
import {casesOf} from '../../testbed/cli/commands/test-cases.js';
import {usualCredentials} from '../../testbed/inputs/credentials.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {SandboxPool} from '../../testbed/run/sandbox-pool.js';
import {optionsOf} from './_run.js';

/** As many mutants as are tried of each rule set: rejected ones among them, which are inconclusive here. */
const tried = 8;

const inputs: ReadonlyArray<readonly [source: string, backend: Backend]> = [
	['release:1.30', 'iptables-nft'],
	['release:1.30', 'iptables-legacy'],
	['release:1.30', 'nftables'],
	['release:1.30 --redirect-dns', 'iptables-nft'],
	['release:1.30 -m TPROXY', 'iptables-nft'],
];

/** What a mutant's runs said: cases that noticed it, by set. The reasons of doubts name ports. */
const saidBy = (detections: ReadonlyMap<{readonly name: string}, Detection>): unknown => [...detections].map(([{name}, detection]) => [name, detection.kind, detection.kind === 'killed' ? detection.by : []]);

for (const [source, backend] of inputs) {
	test(`with and without the cases that cannot notice a fault, the same ones do: ${source}, ${backend}`, async t => {
		const input = loadRuleInput({source, families: ['ipv4', 'ipv6'], backend});
		const {families, timeoutMs, traceBufferBytes, signal, onProgress} = optionsOf();
		const credentialsOf: Parameters<typeof casesOf>[2]['credentialsOf'] = (intent, known) => usualCredentials({}, intent, known);
		const cases = casesOf(['types', 'scenarios'], input, {
			options: {
				families: [...families, 'ipv6'], credentials: credentialsOf(input.intent, input), timeoutMs, traceBufferBytes, signal, onProgress,
			}, credentialsOf, permissions: {},
		});
		await using sandboxes = new SandboxPool();
		const trusted = await trustCases(cases, {jobs: 2, sandboxes});
		const mutants = sampleOf(mutantsOf(rulesOfMesh(input.ruleSet, input.mesh), ['ipv4', 'ipv6']).mutants, tried);
		const whole = await runMutants(mutants, {cases: trusted, jobs: 2, isWhole: true});
		const part = await runMutants(mutants, {cases: trusted, jobs: 2});
		t.deepEqual(part.map(each => saidBy(each)), whole.map(each => saidBy(each)));
		t.true(whole.some(each => [...each.values()].some(({kind}) => kind === 'killed')));
		const [all, asked] = [true, false].map(isWhole => trusted.runs
			.flatMap(run => mutants.map(mutant => partOf(run, {mutant, isWhole, isOpen: () => true}).owners.length))
			.reduce((sum, count) => sum + count, 0));
		t.true(asked! < all!, `${asked} of ${all} cases are asked`);
		t.log(`${asked} of ${all} cases were sent`);
	});
}
