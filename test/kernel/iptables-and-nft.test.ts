/**
Istio's two rule texts for an option set, iptables and native nftables, on the kernel: they must lead to the same stops through the same roles. Pairs that do not are listed below with the reason.
*/

import test from 'ava';
import {generate} from '../../src/istio/generate.js';
import {newestRelease, releaseLines} from '../../src/istio/releases.js';
import {sidecarRouting} from '../../src/istio/routing.js';
import {parseNft, printNft} from '../../src/netfilter/nftables/ruleset.js';
import {stopsOfPath} from '../../src/netfilter/path.js';
import type {Backend} from '../../src/netfilter/types.js';
import {intentOf} from '../../src/istio/intent.js';
import {istio} from '../../src/istio/mesh.js';
import {typeIds} from '../../src/istio/traffic/six-types.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import type {RunEntry} from '../../src/report/run/many.js';
import {credentialsOf} from '../../testbed/inputs/credentials.js';
import type {RuleInput} from '../../testbed/inputs/types.js';
import type {RunOptions} from '../../testbed/run/options.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {runMany} from '../../testbed/run/run-many.js';
import {goldenInput, readGoldens, type Golden} from '../helpers/istio-nft.js';
import {optionsOf} from './_run.js';

const release = newestRelease;

/** The run of a golden's options by one back end, with the proxy as the first user and group that the rules know. */
function runOf(golden: Golden, backend: Backend): RunOptions {
	const {options, families} = goldenInput(golden);
	const ruleSet = generate({
		release, options, families, backend,
	});
	const rules: RuleInput = {
		source: golden.file,
		release: release.name,
		mesh: istio,
		backend,
		ruleSet,
		reference: ruleSet,
		routing: sidecarRouting(options, families, release),
		warnings: [],
		notes: [],
		intent: intentOf({options, release}),
	};
	const proxy = {uid: options.proxyUids[0] ?? 1337, gid: options.proxyGids[0] ?? 1337};
	return optionsOf({
		rules, families, types: typeIds, credentials: {proxy: options.inboundInterceptionMode === 'TPROXY' ? {...proxy, uid: 0} : proxy}, timeoutMs: 2000,
	});
}

/** What each type came to: stops, roles, and the outcome. */
function resultsOf(entry: RunEntry | undefined): Readonly<Record<string, string>> {
	return entry?.kind === 'report'
		? Object.fromEntries(entry.report.types.map(({id, family, legs, decidingRoles, loop, outcome}) => [`${id} ${family}`, `${outcome.kind}${loop ? ' loop' : ''}: ${stopsOfPath({legs}).join(' ')} by ${decidingRoles.join(' ')}`]))
		: {[entry?.kind ?? 'nothing']: entry?.kind === 'rejected' ? entry.reason : ''};
}

/** Pairs that differ, with what differs and why. A difference is Istio's own: both texts equal its goldens. */
const findings: Readonly<Record<string, {readonly types: readonly string[]; readonly reason: string}>> = {};

const goldens = readGoldens('nftables').filter(({file}) => readGoldens('iptables').some(counterpart => counterpart.file === file.replace('nftables/', 'iptables/')));

test('all pairs of goldens send traffic through the same roles, except for the known findings', async t => {
	t.is(goldens.length, 22);
	const entries = await runMany(goldens.flatMap(golden => [runOf(golden, 'iptables-nft'), runOf(golden, 'nftables')]), {jobs: 2});
	let compared = 0;
	for (const [index, golden] of goldens.entries()) {
		const [iptables, native] = [resultsOf(entries[2 * index]), resultsOf(entries[(2 * index) + 1])];
		const types = Object.keys(iptables);
		t.true(types.length >= typeIds.length, golden.file);
		compared += types.length;
		const different = types.filter(type => iptables[type] !== native[type]);
		t.deepEqual(different, findings[golden.file]?.types ?? [], `${golden.file}\n${different.map(type => `${type}\n  iptables ${iptables[type]}\n  native   ${native[type]}`).join('\n')}`);
		t.false(Object.values(iptables).some(result => result.startsWith('inconclusive')), `${golden.file} ${JSON.stringify(iptables)}`);
	}

	t.log(`${goldens.length} pairs, ${compared} types compared, ${Object.keys(findings).length} pairs differ`);
});

test('the same for the injected defaults of every release that has both', async t => {
	const releases = releaseLines.filter(({features}) => features.nativeNftables);
	t.true(releases.length >= 4);
	const sets = releases.flatMap(({name}) => ['', '-m TPROXY', '--redirect-dns', '--redirect-dns --capture-all-dns --drop-invalid'].map(text => `release:${name} ${text}`.trim()));
	const runs = sets.flatMap(source => (['iptables-nft', 'nftables'] as const).map(backend => {
		const rules = loadRuleInput({source, families: addressFamilies, backend});
		return {...optionsOf({rules, families: addressFamilies, types: typeIds}), credentials: credentialsOf({appUid: 1000}, rules.intent)};
	}));
	const entries = await runMany(runs, {jobs: 2});
	for (const [index, source] of sets.entries()) {
		const [iptables, native] = [resultsOf(entries[2 * index]), resultsOf(entries[(2 * index) + 1])];
		t.deepEqual(native, iptables, source);
		t.true(Object.values(native).every(result => result.startsWith('pass: ')), source);
	}
});

test('goes red: a native set without its hairpin rule', async t => {
	const [iptables, native] = (['iptables-nft', 'nftables'] as const).map(backend => loadRuleInput({source: 'release:1.30', families: ['ipv4'], backend}));
	const broken = {...native!, ruleSet: parseNft(printNft(native!.ruleSet).replace(/^.*meta skuid 1337 counter jump istio-in-redirect\n/mu, ''))};
	const entries = await runMany([iptables!, broken].map(rules => optionsOf({rules})), {jobs: 2});
	const [whole, interval] = entries.map(entry => resultsOf(entry));
	t.deepEqual(Object.keys(whole!).filter(type => whole![type] !== interval![type]), ['4 ipv4']);
	t.regex(interval!['4 ipv4'] ?? '', /^fail: proxy:15001 app:8080 /u);
});
