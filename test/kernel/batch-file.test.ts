/** The batch file: its answers do not depend on the machine's settings, on its speed, or on how late the trace is read. */

import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {backends, type Backend} from '../../src/netfilter/types.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import {readProbeLine} from '../../testbed/inputs/probe-line.js';
import {usualCredentials} from '../../testbed/inputs/credentials.js';
import {answerOf, type BatchAnswer} from '../../testbed/probe/answers.js';
import {ProberSandbox, type ProberSandboxOptions} from '../../testbed/probe/prober-sandbox.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import type {Sysctls} from '../../testbed/sandbox/sysctls.js';
import {defaultBufferBytes} from '../../testbed/tracer/trace-source.js';
import {QuotaGroup} from '../helpers/quota.js';

const file = path.resolve('test/fixtures/batch/probes.jsonl');
const text = readFileSync(file, 'utf8');
const {differencesBetween, readAnswers} = await import(path.resolve('scripts/compare-answers.mjs')) as {
	readonly differencesBetween: (one: readonly BatchAnswer[], two: readonly BatchAnswer[]) => readonly string[]; readonly readAnswers: (text: string) => readonly BatchAnswer[];
};

/** The probes that can have no answer, by id, and why: these, and only these, are inconclusive with `no-end` on every back end. */
const unanswerable: ReadonlyMap<string, readonly RegExp[]> = new Map([
	['A socket that is bound to lo sends by it alone; the other side is behind another device.', [/^device: (?:app|proxy) → (?:remote|pod):8080, ipv4, bindDevice lo$/u]],
	['IPv6 sends a loopback address to another host (IPv4 says EINVAL), which takes no packet from one.', [/^source: proxy → remote:8080, ipv6, source ::[16]$/u]],
]);
const unanswerableCount = 6;

/** What is sent to a loopback address by eth0, asked for or because of a REDIRECT: it is lost, which is an answer. */
const lost = /^device: (?:app → remote|(?:app|proxy) → localhost|proxy → pod):8080, ipv[46], bindDevice eth0$/u;
const lostCount = 8;

function isUnanswerable({id}: BatchAnswer): boolean {
	return [...unanswerable.values()].flat().some(pattern => pattern.test(String(id)));
}

/** Rules as `probe --batch --rules` takes them. */
function sourceFor(backend: Backend, more = ''): string {
	return `release:1.30${more}${backend === 'nftables' ? ' --native-nftables' : ''}`;
}

type Asked = {readonly answers: readonly BatchAnswer[]; readonly repeated: number};

async function ask(backend: Backend, {source = sourceFor(backend), ...options}: Partial<Pick<ProberSandboxOptions, 'presetSysctls' | 'beforeRead'>> & {readonly source?: string} = {}): Promise<Asked> {
	const rules = loadRuleInput({
		source, source6: undefined, families: addressFamilies, backend,
	});
	await using sandbox = await ProberSandbox.createWith(rules, usualCredentials({}, rules.intent, rules), {
		families: addressFamilies, timeoutMs: 5000, traceBufferBytes: defaultBufferBytes, ...options,
	});
	const asked = text.trim().split('\n').map((line, index) => readProbeLine(line, `line ${index + 1}`));
	const probeResults = await sandbox.send(asked, {follow: true});
	return {answers: probeResults.map((probeResult, index) => answerOf(asked[index]!.id, probeResult)), repeated: sandbox.repeated};
}

const references = new Map<string, Promise<Asked>>();

/** The answers of an ordinary machine. */
async function reference(backend: Backend, source = sourceFor(backend)): Promise<Asked> {
	const known = references.get(`${backend} ${source}`) ?? ask(backend, {source});
	references.set(`${backend} ${source}`, known);
	return known;
}

/** Only probes that can have no answer are inconclusive, no others were sent twice, and each matches the reference. */
function areTheSame(t: ExecutionContext, {answers, repeated}: Asked, {answers: wanted}: Asked): void {
	t.deepEqual(differencesBetween(wanted, answers), []);
	for (const answer of answers) {
		t.deepEqual(answer.outcome === 'inconclusive' ? answer.gaps.map(({kind}) => kind) : [], isUnanswerable(answer) ? ['no-end'] : [], String(answer.id));
	}

	t.deepEqual(answers.filter(({outcome}) => outcome === 'lost').map(({id}) => String(id)), answers.map(({id}) => String(id)).filter(id => lost.test(id)));
	t.is(answers.filter(({outcome}) => outcome === 'lost').length, lostCount);
	t.is(repeated, unanswerableCount, 'each that has no answer is asked twice, and nobody else');
}

test('the batch file is what its program prints', t => {
	t.is(execFileSync(process.execPath, [path.resolve('test/fixtures/batch/make.mjs')], {encoding: 'utf8'}), text);
	const ids = text.trim().split('\n').map(line => (JSON.parse(line) as {id: string}).id);
	t.true(ids.length >= 186);
	t.is(new Set(ids).size, ids.length);
});

test('two different answers are told apart, whatever their source ports', t => {
	const answer: BatchAnswer = {
		id: 'x', path: ['app', 'OUTPUT#1', 'unknown'], stops: [], outcome: 'inconclusive', gaps: [{kind: 'no-end', message: 'Nobody accepted app 10.244.1.10:33158 → 10.244.1.20:8080.'}],
	};
	const other = (changes: Partial<BatchAnswer>) => differencesBetween([answer], [{...answer, ...changes}]).length;
	t.is(other({gaps: [{kind: 'no-end', message: 'Nobody accepted app 10.244.1.10:40000 → 10.244.1.20:8080.'}]}), 0);
	t.is(other({gaps: [{kind: 'no-end', message: 'Nobody accepted app 10.244.1.10:33158 → 10.244.1.20:9090.'}]}), 1);
	t.is(other({gaps: []}), 1);
	t.is(other({path: ['app', 'unknown']}), 1);
	t.is(other({stops: ['proxy:15001']}), 1);
	t.is(other({outcome: 'unknown'}), 1);
	t.is(other({unsendable: {errno: 'EINVAL', message: 'connect said EINVAL'}}), 1);
	t.is(differencesBetween([answer], []).length, 1);
});

/** Settings of kube-proxy, a router or a hardened machine, as a new namespace inherits them. */
const preset: Sysctls = {
	'net/ipv4/ip_forward': '1', // First, because it resets others.
	...Object.fromEntries(['all', 'default', 'lo'].flatMap(place => ['route_localnet', 'rp_filter', 'accept_local', 'forwarding', 'arp_ignore', 'src_valid_mark'].map(name => [`net/ipv4/conf/${place}/${name}`, '1'] as const))),
};

for (const backend of backends) {
	test.serial(`${backend}: undisturbed`, async t => {
		const wanted = await reference(backend);
		t.is(wanted.answers.filter(answer => isUnanswerable(answer)).length, unanswerableCount);
		areTheSame(t, wanted, wanted);
	});

	test.serial(`${backend}: the same on a machine with route_localnet and similar sysctls`, async t => {
		areTheSame(t, await ask(backend, {presetSysctls: preset}), await reference(backend));
	});
}

/** A pause in which the kernel retransmits every unanswered SYN. */
const pauseMs = 1200;

for (const [backend, more] of [...backends.map(backend => [backend, ''] as const), ['iptables-legacy', ' --redirect-dns'], ['iptables-nft', ' -m TPROXY']] as const) {
	test.serial(`${backend}${more}: the same if the trace is read 1.2 seconds late`, async t => {
		const source = sourceFor(backend, more);
		let pauses = 0;
		const late = await ask(backend, {
			source, async beforeRead() {
				pauses++;
				await new Promise(resolve => {
					setTimeout(resolve, pauseMs);
				});
			},
		});
		t.true(pauses > 0);
		const wanted = await reference(backend, source);
		t.deepEqual(differencesBetween(wanted.answers, late.answers), []);
		t.is(late.repeated, wanted.repeated);
		t.true(wanted.answers.filter(({outcome}) => outcome === 'inconclusive').length <= unanswerableCount);
	});
}

/** Reports what a machine lacks for a test; a failure in CI. */
function notTriedHere(t: ExecutionContext, obstacle: string): void {
	t.log(`Not tried here: ${obstacle}`);
	t.is(process.env['CI'], undefined, `CI has to try this: ${obstacle}`);
}

const launcher = path.resolve('scripts/run.cjs');

for (const backend of backends) {
	test.serial(`${backend}: the same with a fifth of one processor`, async t => {
		await using group = await quota(t);
		if (group === undefined) {
			return;
		}

		// Enough for a batch to take longer than the second after which the kernel retransmits.
		const more = Array.from({length: 3000}, (_, id) => ({id, from: 'app', to: 'remote:8080'}));
		const input = `${text}${more.map(line => `${JSON.stringify(line)}\n`).join('')}`;
		const {stdout, stderr, exitCode} = await execa(group.prefix[0], [...group.prefix.slice(1), process.execPath, launcher, 'testbed', 'probe', '--batch', '-', '--follow', '--backend', backend, '--rules', sourceFor(backend)], {input, reject: false});
		t.is(exitCode, 3, stderr);
		t.true(group.throttled > 0, 'the quota was used up');
		const answers = readAnswers(stdout);
		const wanted = await reference(backend);
		areTheSame(t, {answers: answers.slice(0, wanted.answers.length), repeated: Number(/; (?<count>\d+) sent again/u.exec(stderr)?.groups?.['count'])}, wanted);
		const rest = answers.slice(wanted.answers.length);
		t.is(rest.length, more.length);
		t.deepEqual(rest.filter(({outcome, stops}) => outcome !== 'delivered' || stops.join(' ') !== 'proxy:15001 remote:8080'), []);
	});
}

test.serial('the six types pass on all back ends with a fifth of one processor', async t => {
	await using group = await quota(t);
	if (group === undefined) {
		return;
	}

	const {stdout, stderr, exitCode} = await execa(group.prefix[0], [...group.prefix.slice(1), process.execPath, launcher, 'testbed', 'run', '--backend', 'all', '--family', 'both'], {reject: false});
	t.is(exitCode, 0, `${stdout}\n${stderr}`);
	t.regex(stdout, /36 passed, 0 failed/u);
	t.true(group.throttled > 0, 'the quota was used up');
});

async function quota(t: ExecutionContext): Promise<QuotaGroup | undefined> {
	const group = QuotaGroup.create(20);
	if ('obstacle' in group) {
		notTriedHere(t, group.obstacle);
		return undefined;
	}

	return group;
}
