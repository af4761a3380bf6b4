/** One stage for many rule sets: each answer is of the rules that were installed last, and a set that is rejected leaves no trace of itself. */

import test from 'ava';
import {stopsOfPath} from '../../src/netfilter/path.js';
import {parseSave} from '../../src/netfilter/save.js';
import {backends, type Backend} from '../../src/netfilter/types.js';
import {usualCredentials} from '../../testbed/commands/probe.js';
import {answerOf} from '../../testbed/probe-batch.js';
import {ProbeStage, type BatchQuestion, type StagedRules} from '../../testbed/probe-stage.js';
import {loadRuleInput} from '../../testbed/rule-input.js';

const families = ['ipv4', 'ipv6'] as const;

/** A question of the app to the remote place; a test says what is otherwise. */
function question(other: Partial<BatchQuestion> = {}): BatchQuestion {
	const to = other.to ?? {address: '10.244.1.20', port: 8080};
	return {
		id: undefined, from: 'app', asked: to.address, to, family: to.address.includes(':') ? 'ipv6' : 'ipv4', uid: undefined, gid: undefined, protocol: 'tcp', source: undefined, sourcePort: undefined, device: undefined, mark: undefined, ...other,
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
	return [rules, usualCredentials({}, rules.intent, rules.proxy)] as const;
}

async function stageOf(backend: Backend): Promise<ProbeStage> {
	return ProbeStage.create({
		backend, families, timeoutMs: 1000, traceBufferBytes: 64 << 20,
	});
}

async function waysOf(stage: ProbeStage) {
	const flights = await stage.fly(asked, {follow: true});
	return flights.map(flight => answerOf(undefined, flight));
}

const sources = ['release:1.30', 'release:1.30 -m TPROXY', 'ambient:1.30', 'release:1.30 --redirect-dns -x 10.244.1.0/24', 'release:1.30 -m TPROXY --redirect-dns', 'release:1.30 -d 8080'];

for (const backend of backends) {
	test.serial(`${backend}: after any other set, a set's answers are those of a stage of its own`, async t => {
		await using kept = await stageOf(backend);
		const own = new Map<string, unknown>();
		for (const source of sources) {
			await using stage = await stageOf(backend); // eslint-disable-line no-await-in-loop -- One after the other.
			await stage.install(...rulesOf(source, backend)); // eslint-disable-line no-await-in-loop -- See above.
			const ways = await waysOf(stage); // eslint-disable-line no-await-in-loop -- See above.
			t.deepEqual(ways.flatMap(({gaps}) => gaps), [], source);
			own.set(source, ways);
		}

		t.is(new Set([...own.values()].map(ways => JSON.stringify(ways))).size, sources.length, 'the sets are told apart');
		for (const source of [...sources, ...sources.toReversed()]) {
			await kept.install(...rulesOf(source, backend)); // eslint-disable-line no-await-in-loop -- See above.
			t.deepEqual(await waysOf(kept), own.get(source), source); // eslint-disable-line no-await-in-loop -- See above.
		}

		t.is(kept.repeated, 0, 'a change of the rules is no loss');
	});
}

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test.serial(`${backend}: a rejected set is gone, the stage holds no rules, and takes the next`, async t => {
		await using stage = await stageOf(backend);
		const [rules, credentials] = rulesOf('release:1.30', backend);
		await stage.install(rules, credentials);
		const wrong: StagedRules = {...rules, ruleSet: parseSave('*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j DROP\nCOMMIT\n*security\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j REDIRECT --to-ports 1\nCOMMIT\n', 'ipv4')};
		await t.throwsAsync(stage.install(wrong, credentials), {code: 'RULES_REJECTED'});
		await t.throwsAsync(stage.fly(asked, {follow: false}), {instanceOf: RangeError, message: 'the stage holds no rules'});
		await stage.install(rules, credentials);
		const [flight] = await stage.fly(asked, {follow: true});
		t.deepEqual(flight!.gaps, []);
		t.deepEqual(stopsOfPath(flight!), ['proxy:15001', 'remote:8080']);
	});
}
