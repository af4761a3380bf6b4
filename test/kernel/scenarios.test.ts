/** Every shipped scenario: it passes on all back ends that its rules exist for, and its broken variant fails. */

import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';
import {stopsOfPath} from '../../src/netfilter/path.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import {backends, type Backend} from '../../src/netfilter/types.js';
import {describeDifference} from '../../src/report/run/describe-differences.js';
import type {Report} from '../../src/report/run/types.js';
import {credentialsOf} from '../../testbed/inputs/credentials.js';
import type {RunOptions} from '../../testbed/run/options.js';
import {runMany} from '../../testbed/run/run-many.js';
import {runTestbed} from '../../testbed/run/run.js';
import {readScenario} from '../../testbed/inputs/scenarios.js';
import {reuseKey} from '../../testbed/run/actor-sandbox.js';
import {deleteRule, type Mutation} from '../helpers/reports.js';
import {root} from '../helpers/root.js';
import {testbed, type JsonReport} from './_cli.js';
import {optionsOf} from './_run.js';

const folder = new URL('scenarios/', root);
const files = readdirSync(folder).filter(name => name.endsWith('.yaml')).toSorted();

type JsonRuns = {readonly runs: ReadonlyArray<JsonReport & {readonly scenario: {readonly name: string}; readonly unavailable?: string}>; readonly summary: JsonReport['summary']};

test.serial('all scenarios in one command: they pass on every back end, or are reported as not available', async t => {
	const {exitCode, stdout, stderr} = await testbed(['run', folder.pathname, '--format', 'json']);
	const {runs, summary} = JSON.parse(stdout) as JsonRuns;
	t.deepEqual([...new Set(runs.map(({scenario}) => `${scenario.name}.yaml`))].toSorted(), files);
	t.is(runs.length, files.length * backends.length);
	const bad = runs.flatMap(({scenario, rules, types = []}) => types.filter(({outcome}) => outcome !== 'pass').map(({name, outcome}) => `${scenario.name} ${rules.backend}: ${name} ${outcome}`));
	t.deepEqual(bad, []);
	t.deepEqual(runs.filter(({unavailable}) => unavailable !== undefined).map(({scenario, rules, unavailable}) => `${scenario.name} ${rules.backend}: ${unavailable}`), [
		'foreign-rule-in-front nftables: The rules that it inserts are written for iptables.',
	]);
	t.true(summary.passed > files.length * backends.length);
	t.is(exitCode, 0, stderr);
});

type ScenarioRun = {readonly file: string; readonly backend?: Backend; readonly mutate?: Mutation};

/** What plays the text of a scenario on one back end. */
function runOptions(text: string, {file, backend = 'iptables-nft', mutate = rules => rules}: ScenarioRun): RunOptions {
	const {prepared: [made]} = readScenario(text, {
		file: new URL(file, folder).pathname, backends: [backend], credentialsOf: (intent, known) => credentialsOf({appUid: 1000}, intent, known),
	});
	const {rules, play: scenario} = made!;
	return {
		...optionsOf({rules: {...rules, ruleSet: mutate(rules.ruleSet)}, timeoutMs: 1500}), families: [...new Set(scenario.cases.map(({probe}) => probe.family))], scenario,
	};
}

async function play(text: string, options: ScenarioRun): Promise<Report> {
	const {report} = await runTestbed(runOptions(text, options));
	return report;
}

/** A change to a scenario, and the probes that must then fail, each with a word of the message. */
type Counterpart = {readonly replace?: readonly [from: string, to: string]; readonly mutate?: Mutation; readonly red: Readonly<Record<string, RegExp>>};

const counterparts: Readonly<Record<string, Counterpart>> = {
	'ambient.yaml': {replace: ['node: 169.254.7.127', 'node: 169.254.7.128'], red: {'kubelet-probe': /app:8080 but reached proxy:15006/}},
	'app-as-proxy-uid.yaml': {replace: ['uid: 1337, gid: 1337', 'uid: 1000, gid: 1000'], red: {'worker-to-remote': /remote:8080 but reached proxy:15001/}},
	'dns-capture-all.yaml': {replace: [' --capture-all-dns', ''], red: {'query-over-udp': /reached dns:53/, 'query-over-tcp': /reached proxy:15001/, 'agents-own-query': /an answer in no zone or a different one instead of in zone 1/}},
	'dns-capture.yaml': {mutate: rules => withoutZone(rules, 2), red: {'query-over-udp': /zone 0 instead of 2/}},
	'bound-to-a-device.yaml': {replace: ['rules: release:1.30', 'rules: release:1.30 -x 10.244.1.20/32'], red: {'app-bound-to-eth0': /lost but reached remote:8080/}},
	'docker-bridge.yaml': {replace: ['release:1.30', 'release:1.30 -k docker0'], red: {'container-to-remote': /proxy:15006 but reached proxy:15001/, 'container-to-pod': /proxy:15006 but reached proxy:15001/}},
	'dual-stack.yaml': {mutate: ({tables}) => ({tables: tables.map(table => table.family === 'ip6' ? deleteRule('PREROUTING', 1)({tables: [table]}).tables[0]! : table)}), red: {in: /reached app:8080/}},
	'excluded-ports.yaml': {replace: ['-o 5432,6379', '-o 6379'], red: {'out-by-excluded-port': /far-store:5432 but reached proxy:15001/}},
	'excluded-ranges.yaml': {replace: ['-x 203.0.113.0/24,', '-x '], red: {'excluded-range': /reached proxy:15001/}},
	'external-addresses.yaml': {replace: ['release:1.30', 'release:1.30 -x 198.51.100.0/24'], red: {'address-outside': /proxy:15001 but reached outside:443/}},
	// The order changed: behind the jump to ISTIO_OUTPUT the foreign rule comes too late.
	'foreign-rule-in-front.yaml': {replace: ['-I OUTPUT 1', '-A OUTPUT'], red: {'root-to-remote': /remote:8080 but reached proxy:15001/}},
	'health-probes.yaml': {replace: ['release:1.30', 'release:1.30 -d 15090,15020'], red: {'readiness-of-the-proxy': /proxy:15021 but reached proxy:15006/}},
	// Before 1.2x the rules for the proxy's own calls to its pod did not except the tunnel's port.
	'hbone-hairpin.yaml': {replace: ['rules: release:1.30', 'rules: release:1.10'], red: {'own-service-by-tunnel': /proxy:15008 but reached proxy:15006/}},
	'included-ports.yaml': {replace: ['-i 10.96.0.0/12,10.244.1.20/32', '-i \'*\''], red: {'out-to-another-address': /istiod:15012 but reached proxy:15001/}},
	'init-container.yaml': {replace: ['proxy: {listens: []}', 'proxy: {listens: [outbound]}'], red: {'init-to-remote': /refused but reached proxy:15001/}},
	'invalid-packets.yaml': {replace: ['release:1.30', 'release:1.30 --drop-invalid'], red: {in: /refused but was dropped/}},
	// The order changed: where everything else is let go first, nothing is left to drop.
	'invalid-packets-dropped.yaml': {replace: ['rules: release:1.30 --drop-invalid', 'rules: release:1.30 --drop-invalid\ninsert: ["-t mangle -I PREROUTING 1 -p tcp -j ACCEPT"]'], red: {in: /dropped but was refused/, within: /dropped but was refused/}},
	'ipv6-ranges.yaml': {replace: ['-i 10.96.0.0/12', '-i 10.96.0.0/12,2001:db8:96::/108'], red: {'service-by-ipv6': /remote-vip:8080 but reached proxy:15001/}},
	'no-rules.yaml': {replace: ['rules: none', 'rules: release:1.30'], red: {in: /proxy:15006/, out: /proxy:15001/, service: /proxy:15001/}},
	'no-passthrough-address.yaml': {replace: ['addresses: {without: [passthrough]}', ''], red: {'remote-to-local': /proxy:15006 but reached app:8080/, 'local-to-local': /app:8080/}},
	'own-addresses.yaml': {// Two rules let a foreign user talk over lo, by UID and by GID.
		mutate: rules => deleteRule('ISTIO_OUTPUT', 5)(deleteRule('ISTIO_OUTPUT', 3)(rules)), red: {'own-address': /app:8080 but reached proxy:15001/},
	},
	'owner-groups-excluded.yaml': {replace: ['EXCLUDE=3000', 'EXCLUDE=3001'], red: {'excluded-group': /proxy:15001/}},
	'owner-groups-included.yaml': {replace: ['gid: 3000', 'gid: 2001'], red: {'another-group': /proxy:15001/}},
	'proxy-ports.yaml': {replace: ['rules: release:1.30', 'rules: release:1.30 -o 15001,15090'], red: {'app-to-15001-elsewhere': /proxy:15001 but was refused/, 'app-to-metrics-elsewhere': /proxy:15001 but was refused/}},
	'second-interface.yaml': {replace: ['-c net1', '-c net2'], red: {'out-by-the-second': /proxy:15001/, 'in-by-the-second': /proxy:15006/}},
	'six-types.yaml': {mutate: deleteRule('ISTIO_OUTPUT', 2), red: {'local-to-local': /proxy:15006 but reached app:8080/}},
	'tproxy.yaml': {replace: [' -m TPROXY', ''], red: {'in-with-the-clients-address': /source 127\.0\.0\.6 instead of 10\.244\.1\.20/}},
	'two-addresses.yaml': {
		mutate: rules => deleteRule('ISTIO_OUTPUT', 5)(deleteRule('ISTIO_OUTPUT', 3)(rules)), red: {'own-second-ipv4': /app:8080 but reached proxy:15001/, 'own-second-ipv6': /app:8080 but reached proxy:15001/},
	},
	'two-proxy-uids.yaml': {replace: ['-u 64535,1337', '-u 1337,64535'], red: {'own-service': /app:8080 but reached proxy:15006/}},
	'udp.yaml': {replace: ['rules: release:1.30', 'rules: release:1.30\ninsert: ["-t nat -I OUTPUT 1 -p udp -j REDIRECT --to-ports 15001"]'], red: {out: /peer:8443 but was refused/}},
	'virtual-machine.yaml': {replace: ['-k k6t-eth0', '-k other0'], red: {'vm-to-remote': /proxy:15001 but reached proxy:15006/}},
};

/** Takes the rules away that choose a zone. */
function withoutZone({tables}: Parameters<Mutation>[0], zone: number): ReturnType<Mutation> {
	return {
		tables: tables.map(table => ({
			...table,
			chains: table.chains.map(chain => ({...chain, rules: chain.rules.filter(({target}) => target.kind !== 'ct-zone' || target.zone !== zone).map((rule, index) => ({...rule, number: index + 1}))})),
		})),
	};
}

test('every scenario has a broken counterpart', t => {
	t.deepEqual(Object.keys(counterparts).toSorted(), files);
});

for (const [file, {replace, mutate, red}] of Object.entries(counterparts)) {
	test.serial(`goes red: ${file}`, async t => {
		const text = readFileSync(new URL(file, folder), 'utf8');
		if (replace !== undefined) {
			t.true(text.includes(replace[0]));
		}

		const report = await play(replace === undefined ? text : text.replace(replace[0], () => replace[1]), {file, ...(mutate === undefined ? {} : {mutate})});
		for (const [name, pattern] of Object.entries(red)) {
			const results = report.types.filter(result => result.name === name && result.outcome.kind !== 'pass');
			t.true(results.length > 0, `${name} should have failed: ${report.types.map(result => `${result.name} ${result.outcome.kind} ${stopsOfPath(result).join(' → ')}`).join('; ')}`);
			for (const {outcome} of results) {
				t.regex(outcome.kind === 'fail' ? outcome.differences.map(difference => describeDifference(difference)).join(' ') : JSON.stringify(outcome), pattern);
			}
		}
	});
}

/** Leaves a packet without connection tracking: nat does not look at it either, and the way that it takes is the same. */
const untracked: Mutation = ({tables}) => ({tables: [...tables, ...parseSave('*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK FIN,SYN,ACK -j CT --notrack\nCOMMIT', 'ipv4').tables]});

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test.serial(`a packet that should be invalid and is not for conntrack proves nothing, ${backend}`, async t => {
		const text = readFileSync(new URL('invalid-packets.yaml', folder), 'utf8').replace('[ipv4, ipv6]', '[ipv4]').replaceAll(/, path: \[\w+, refused\]/gu, '');
		const {types} = await play(text, {file: 'invalid-packets.yaml', backend, mutate: untracked});
		t.deepEqual(types.map(({name, outcome}) => `${name} ${outcome.kind}`), ['in inconclusive', 'out pass', 'in-as-it-should-be pass']);
		const [{outcome}] = types as [Report['types'][number]];
		t.deepEqual(outcome.kind === 'inconclusive' ? outcome.reasons.map(({kind}) => kind) : outcome.kind, ['unwitnessed']);
	});
}

test.serial('an actor that may not send raw packets sent nothing, and the run says why', async t => {
	// Under TPROXY the proxy is root, and keeps one right only.
	const text = 'version: 1\nname: n\nabout: a\nrules: release:1.30 -m TPROXY\nprobes:\n  - {name: out, from: proxy, to: "remote:8080", packet: invalid, expect: {stops: [], outcome: refused}}\n';
	const {types: [result]} = await play(text, {file: 'x.yaml'});
	t.regex(JSON.stringify(result?.outcome), /^\{"kind":"inconclusive".*socket\(SOCK_RAW\) failed: EPERM/u);
});

test.serial('the six types as a file are the same as in `testbed run`', async t => {
	const text = readFileSync(new URL('six-types.yaml', folder), 'utf8');
	for (const backend of ['iptables-nft', 'iptables-legacy', 'nftables'] as const) {
		const [asFile, {report: asTypes}] = await Promise.all([play(text, {file: 'six-types.yaml', backend}), runTestbed(optionsOf({backend, rules: 'release:1.30'}))]); // eslint-disable-line no-await-in-loop -- One back end at a time.
		const claims = (report: Report): readonly unknown[] => report.types.map(({id, name, family, actors, outcome, expected, decidingRoles, observedRoles, published, gaps, legs}) => ({
			id, name, family, actors, outcome, expected, decidingRoles, observedRoles, published, gaps, stops: stopsOfPath({legs}),
		}));
		t.deepEqual(claims(asFile), claims(asTypes));
		t.is(asFile.types.length, 6);
	}
});

test.serial('one set after another in one sandbox: nothing of an earlier set remains, in no family and on no back end', async t => {
	const scenario = (name: string, rules: string): string => `version: 1\nname: ${name}\nabout: a\nrules: ${rules}\nfamilies: [ipv4, ipv6]\nprobes:\n  - {name: out, from: app, to: "remote:8080", expect: {stops: [${rules === 'none' ? '' : '"proxy:15001", '}"remote:8080"]}}\n`;
	const texts = [scenario('both', 'release:1.30'), scenario('only-ipv4', 'release:1.30').replace(', ipv6]', ']'), scenario('nothing', 'none'), scenario('both-again', 'release:1.30')];
	const all = (['iptables-nft', 'nftables', 'iptables-legacy'] as const).flatMap(backend => texts.map(text => runOptions(text, {file: 'x.yaml', backend})));
	t.is(new Set(all.map(options => reuseKey({...options, ...options.scenario, mesh: options.rules.mesh, intent: options.rules.intent}))).size, 1);
	const entries = await runMany(all, {jobs: 1});
	t.deepEqual(entries.map(entry => [entry.backend, entry.scenario, entry.kind === 'report' ? entry.report.types.map(({outcome}) => outcome.kind).join(' ') : entry.kind]), all.map(({rules, scenario: own}) => [rules.backend, own?.name, own?.name === 'only-ipv4' ? 'pass' : 'pass pass']));
});
