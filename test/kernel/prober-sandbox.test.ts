/** One sandbox for many rule sets: each answer is about the rules installed last, and a rejected set leaves nothing behind. */

import {writeFileSync} from 'node:fs';
import test from 'ava';
import {file as temporaryFile} from 'tmp-promise';
import {stopsOfPath} from '../../src/netfilter/path.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import {backends, type Backend} from '../../src/netfilter/types.js';
import {arrivalsOf} from '../../src/comparison/moves.js';
import {checksumOf} from '../../testbed/inputs/checksum.js';
import {usualCredentials} from '../../testbed/inputs/credentials.js';
import {answerOf} from '../../testbed/probe/answers.js';
import {ProberSandbox, type SandboxRules} from '../../testbed/probe/prober-sandbox.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';

const families = ['ipv4', 'ipv6'] as const;

/** A question of the app to the remote place; a test says what is otherwise. */
function question(other: Partial<ProbeSpec> = {}): ProbeSpec {
	const to = other.to ?? {address: '10.244.1.20', port: 8080};
	return {
		id: undefined, from: 'app', asked: to.address, to, family: to.address.includes(':') ? 'ipv6' : 'ipv4', uid: undefined, gid: undefined, protocol: 'tcp', source: undefined, sourcePort: undefined, bindDevice: undefined, mark: undefined, ...other,
	};
}

const asked = [
	question(),
	question({to: {address: '2001:db8:1::20', port: 8080}}),
	question({from: 'remote', to: {address: '10.244.1.10', port: 8080}}),
	question({from: 'remote', to: {address: '2001:db8:1::10', port: 8080}}),
	question({to: {address: '10.96.0.10', port: 53}, protocol: 'udp'}),
];

function rulesOf(source: string, backend: Backend) {
	const rules = loadRuleInput({
		source: backend === 'nftables' && source.startsWith('release') ? `${source} --native-nftables` : source, source6: undefined, families, backend,
	});
	return [rules, usualCredentials({}, rules.intent, rules)] as const;
}

async function sandboxOf(backend: Backend): Promise<ProberSandbox> {
	return ProberSandbox.create({
		backend, families, timeoutMs: 1000, traceBufferBytes: 64 << 20,
	});
}

async function pathSummariesOf(sandbox: ProberSandbox) {
	const probeResults = await sandbox.send(asked, {follow: true});
	return probeResults.map(probeResult => answerOf(undefined, probeResult));
}

const sources = ['release:1.30', 'release:1.30 -m TPROXY', 'ambient:1.30', 'release:1.30 --redirect-dns -x 10.244.1.0/24', 'release:1.30 -m TPROXY --redirect-dns', 'release:1.30 -d 8080'];

for (const backend of backends) {
	test.serial(`${backend}: after any other set, the answers are the same as in a new sandbox`, async t => {
		await using kept = await sandboxOf(backend);
		const own = new Map<string, unknown>();
		for (const source of sources) {
			await using sandbox = await sandboxOf(backend); // eslint-disable-line no-await-in-loop -- One after the other.
			await sandbox.install(...rulesOf(source, backend)); // eslint-disable-line no-await-in-loop -- See above.
			const pathSummaries = await pathSummariesOf(sandbox); // eslint-disable-line no-await-in-loop -- See above.
			t.deepEqual(pathSummaries.flatMap(({gaps}) => gaps), [], source);
			own.set(source, pathSummaries);
		}

		t.is(new Set([...own.values()].map(pathSummaries => JSON.stringify(pathSummaries))).size, sources.length, 'the sets are told apart');
		for (const source of [...sources, ...sources.toReversed()]) {
			await kept.install(...rulesOf(source, backend)); // eslint-disable-line no-await-in-loop -- See above.
			t.deepEqual(await pathSummariesOf(kept), own.get(source), source); // eslint-disable-line no-await-in-loop -- See above.
		}

		t.is(kept.repeated, 0, 'a change of the rules is no loss');
	});
}

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test.serial(`${backend}: after a rejected set the sandbox has no rules, and accepts the next set`, async t => {
		await using sandbox = await sandboxOf(backend);
		const [rules, credentials] = rulesOf('release:1.30', backend);
		await sandbox.install(rules, credentials);
		const wrong: SandboxRules = {...rules, ruleSet: parseSave('*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j DROP\nCOMMIT\n*security\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j REDIRECT --to-ports 1\nCOMMIT\n', 'ipv4')};
		await t.throwsAsync(sandbox.install(wrong, credentials), {code: 'RULES_REJECTED'});
		await t.throwsAsync(sandbox.send(asked, {follow: false}), {instanceOf: RangeError, message: 'the sandbox has no rules'});
		await sandbox.install(rules, credentials);
		const [probeResult] = await sandbox.send(asked, {follow: true});
		t.deepEqual(probeResult!.gaps, []);
		t.deepEqual(stopsOfPath(probeResult!), ['proxy:15001', 'remote:8080']);
	});
}

test.serial('TPROXY: a connection to the proxy\'s own port on another host reaches the proxy, not that host', async t => {
	await using sandbox = await sandboxOf('iptables-nft');
	await sandbox.install(...rulesOf('release:1.30 -m TPROXY', 'iptables-nft'));
	const elsewhere = [9999, 15_001].map(port => question({to: {address: '10.244.1.20', port}}));
	const into = [9999, 15_006].map(port => question({from: 'remote', to: {address: '10.244.1.10', port}}));
	const probeResults = await sandbox.send([...elsewhere, ...into], {follow: false});
	t.deepEqual(probeResults.map(probeResult => [arrivalsOf(probeResult)[0], probeResult.gaps.length]), [['proxy:15001', 0], ['proxy:15001', 0], ['proxy:15006', 0], ['proxy:15006', 0]]);
});

/** Rules of nat that turn nothing on, and what makes the kernel ask them. */
const idle = {
	iptables: (more: string): string => `*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A OUTPUT -p tcp -j ACCEPT\nCOMMIT\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m tcp --dport 8080 -j ACCEPT\n${more === '' ? '' : '-A INPUT -m conntrack --ctstate INVALID -j DROP\n'}COMMIT\n`,
	nftables: (more: string): string => `table ip idle {\n\tchain first {\n\t\ttype nat hook output priority -100; policy accept;\n\t\tmeta l4proto tcp counter accept\n\t}\n\n\tchain second {\n\t\ttype filter hook output priority 0; policy accept;\n\t\ttcp dport 8080 counter accept\n\t}\n\n\tchain third {\n\t\ttype filter hook input priority 0; policy accept;\n\t\t${more === '' ? 'tcp dport 1 counter drop' : 'ct state invalid counter drop'}\n\t}\n}\n`,
};

for (const backend of backends) {
	test.serial(`${backend}: nat is consulted if some rule needs conntrack, and not otherwise`, async t => {
		await using sandbox = await sandboxOf(backend);
		for (const [more, wanted] of [['', 1], ['conntrack', 2], ['', 1]] as const) {
			const file = await temporaryFile(); // eslint-disable-line no-await-in-loop -- One stage.
			writeFileSync(file.path, idle[backend === 'nftables' ? 'nftables' : 'iptables'](more));
			const rules = loadRuleInput({source: file.path, families: ['ipv4'], backend});
			await file.cleanup(); // eslint-disable-line no-await-in-loop -- See above.
			t.is(rules.warnings.filter(warning => warning.includes('packets never reach the nat rules')).length, wanted === 1 ? 1 : 0);
			await sandbox.install(rules, usualCredentials({}, rules.intent, rules)); // eslint-disable-line no-await-in-loop -- See above.
			const [probeResult] = await sandbox.send([question()], {follow: true}); // eslint-disable-line no-await-in-loop -- See above.
			t.deepEqual(probeResult!.gaps, [], more);
			t.is(probeResult!.legs[0]!.traversals.flatMap(({hits}) => hits).length, wanted, more);
		}
	});
}

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test.serial(`${backend}: a query whose destination DNAT and whose source SNAT changes arrives at the agent, from every source`, async t => {
		await using sandbox = await sandboxOf(backend);
		await sandbox.install(...rulesOf('ISTIO_META_DNS_CAPTURE=true release:1.8', backend));
		const sources = [undefined, '127.0.0.1', '127.0.0.6', '10.244.1.10'];
		const results = await sandbox.send(sources.map(source => question({to: {address: source?.startsWith('127') === true ? '10.244.1.10' : '10.96.0.10', port: 53}, protocol: 'udp', source})), {follow: false});
		for (const [index, {legs: [leg], gaps}] of results.entries()) {
			t.deepEqual(gaps, [], String(sources[index]));
			t.is(leg?.deliveredTo?.address, '127.0.0.1');
			t.is(leg?.deliveredTo?.port, 15_053);
			t.true(leg?.traversals.some(({hook, hits}) => hook === 'postrouting' && hits.some(({text}) => text?.includes('SNAT'))), 'SNAT is part of the path');
		}
	});
}

/** Rules that redirect everyone, with a rule before them. */
const endless = (first: string): string => `*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A OUTPUT -d 203.0.113.1/32 -j ACCEPT\n${first}-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n`;

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test.serial(`${backend}: a loop ends after its second round if that is all there is to see, and only then`, async t => {
		await using sandbox = await sandboxOf(backend);
		// Every fifth connection is let through: four rounds look the same.
		for (const [first, once, inFull] of [
			['', {legs: 3, isLoop: true}, {legs: 9, isLoop: true}],
			['-A OUTPUT -p tcp -m statistic --mode nth --every 5 --packet 4 -j ACCEPT\n', {legs: 5, isLoop: false}, {legs: 5, isLoop: false}],
		] as const) {
			for (const [follow, wanted] of [['once-around', once], [true, inFull]] as const) {
				const file = await temporaryFile(); // eslint-disable-line no-await-in-loop -- One stage.
				writeFileSync(file.path, endless(first));
				const rules = loadRuleInput({source: file.path, families: ['ipv4'], backend});
				await file.cleanup(); // eslint-disable-line no-await-in-loop -- See above.
				// Its counter begins again with each installation.
				await sandbox.install(rules, usualCredentials({}, rules.intent, rules)); // eslint-disable-line no-await-in-loop -- See above.
				const [probeResult] = await sandbox.send([question()], {follow}); // eslint-disable-line no-await-in-loop -- See above.
				t.deepEqual(probeResult!.gaps, [], first);
				t.deepEqual({legs: probeResult!.legs.length, isLoop: probeResult!.isLoop}, wanted, `${String(follow)}: ${first}`);
				t.deepEqual([...new Set(stopsOfPath(probeResult!))], wanted.isLoop ? ['proxy:15001'] : ['proxy:15001', 'remote:8080']);
			}
		}
	});
}

test('the checksum of rules does not depend on the rules that the sandbox had before', async t => {
	const backend = 'iptables-legacy';
	const inputs = ['', ' -m TPROXY', ' --redirect-dns'].map(more => rulesOf(`release:1.30${more}`, backend));
	const sumsIn = async (order: typeof inputs): Promise<ReadonlyMap<string, string>> => {
		await using sandbox = await ProberSandbox.create({
			backend, families, timeoutMs: 1000, traceBufferBytes: 1 << 24,
		});
		const sums = new Map<string, string>();
		for (const [rules, credentials] of order) {
			const ruleSet = await sandbox.install(rules, credentials); // eslint-disable-line no-await-in-loop -- One after the other is what is tried.
			sums.set(rules.source, checksumOf({backend, families, ruleSet}));
		}

		return sums;
	};

	const [one, other] = [await sumsIn(inputs), await sumsIn(inputs.toReversed())];
	t.is(new Set(one.values()).size, 3);
	t.deepEqual(Object.fromEntries(other), Object.fromEntries(one));
});
