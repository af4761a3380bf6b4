/** Probes from every kind of source: any address and port from outside, loopback addresses and others from the pod. A packet that the kernel does not send is an answer with the name of its error, next to the others of its batch. */

import test from 'ava';
import {printEndpoint} from '../../src/netfilter/path.js';
import {usualCredentials} from '../../testbed/inputs/credentials.js';
import {answerOf, type BatchAnswer} from '../../testbed/probe/answers.js';
import {ProberSandbox} from '../../testbed/probe/prober-sandbox.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';

const families = ['ipv4', 'ipv6'] as const;
const [pod, remote, pod6, remote6] = ['10.244.1.10', '10.244.1.20', '2001:db8:1::10', '2001:db8:1::20'];
const inbound = 'PREROUTING#1 ISTIO_INBOUND#5 ISTIO_IN_REDIRECT#1 INPUT proxy:15006';
const outbound = 'OUTPUT#1 ISTIO_OUTPUT#9 ISTIO_REDIRECT#1 POSTROUTING proxy:15001';
const overLo = 'OUTPUT#1 ISTIO_OUTPUT#3 POSTROUTING app:8080';

type Asking = Pick<ProbeSpec, 'from'> & Partial<Pick<ProbeSpec, 'source' | 'sourcePort' | 'protocol'>> & {readonly to: string; readonly pathSummary: string};

/** The path of the first leg, or the error with which the kernel refuses to send. */
const askings: readonly Asking[] = [
	...['8.8.8.8', '10.244.1.77', '0.0.0.1', '240.0.0.1', '169.254.7.127', '10.96.0.10'].map((source): Asking => ({
		from: 'remote', source, to: pod, pathSummary: inbound,
	})),
	...['2001:db8:ffff::1', '::6', 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff'].map((source): Asking => ({
		from: 'remote', source, to: pod6, pathSummary: inbound,
	})),
	...[1, 53, 443, 15_001].flatMap(sourcePort => [pod, pod6].map((to): Asking => ({
		from: 'remote', sourcePort, to, pathSummary: inbound,
	}))),
	...[53, 40_000].map((sourcePort): Asking => ({
		from: 'remote', source: '8.8.8.8', sourcePort, protocol: 'udp', to: pod, pathSummary: 'PREROUTING INPUT refused',
	})),
	...['127.0.0.1', '127.0.0.6'].map((source): Asking => ({
		from: 'remote', source, to: pod, pathSummary: 'EINVAL',
	})),
	{
		from: 'remote', source: 'ff02::1', to: pod6, pathSummary: 'EINVAL',
	},
	...['127.0.0.1', '127.0.0.6', '127.9.9.9'].map((source): Asking => ({
		from: 'app', source, to: remote, pathSummary: 'EINVAL',
	})),
	{
		from: 'app', source: '127.0.0.6', to: pod, pathSummary: 'OUTPUT#1 ISTIO_OUTPUT#1 POSTROUTING app:8080',
	},
	{
		from: 'app', source: '::6', to: pod6, pathSummary: 'OUTPUT#1 ISTIO_OUTPUT#1 POSTROUTING app:8080',
	},
	...['127.9.9.9', pod].flatMap(source => [pod, '127.0.0.1'].map((to): Asking => ({
		from: 'app', source, to, pathSummary: overLo,
	}))),
	{
		from: 'app', source: pod, sourcePort: 53, to: remote, pathSummary: outbound,
	},
	{
		from: 'app', source: pod6, to: remote6, pathSummary: outbound,
	},
	{
		from: 'app', source: '8.8.8.8', to: pod, pathSummary: 'OUTPUT#1 ISTIO_OUTPUT#3 POSTROUTING unknown',
	},
	...['255.255.255.255', '10.244.1.255', '224.0.0.5', 'ff02::5'].map((to): Asking => ({from: 'app', to, pathSummary: 'ENETUNREACH'})),
	{
		from: 'app', protocol: 'udp', to: '10.244.1.255', pathSummary: 'EACCES',
	},
];

function questionOf({from, to, source, sourcePort, protocol = 'tcp'}: Asking): ProbeSpec {
	return {
		id: undefined, from, asked: to, to: {address: to, port: 8080}, family: to.includes(':') ? 'ipv6' : 'ipv4', uid: undefined, gid: undefined, protocol, source, sourcePort, bindDevice: undefined, mark: undefined,
	};
}

async function ask(asked: readonly Asking[], timeoutMs = 1000): Promise<readonly BatchAnswer[] & {readonly unanswered: number}> {
	const rules = loadRuleInput({source: 'release:1.30', source6: undefined, families});
	await using sandbox = await ProberSandbox.create({
		backend: 'iptables-nft', families, timeoutMs, traceBufferBytes: 64 << 20,
	});
	await sandbox.install(rules, usualCredentials({}, rules.intent, rules));
	const probeResults = await sandbox.send(asked.map(asking => questionOf(asking)), {follow: false});
	return Object.assign(probeResults.map(probeResult => answerOf(undefined, probeResult)), {unanswered: sandbox.unanswered});
}

test.serial('each source takes its path, or is refused by the kernel with the expected error', async t => {
	const answers = await ask(askings);
	for (const [index, {from, source, sourcePort, to, pathSummary}] of askings.entries()) {
		const {path: [, ...steps], gaps, unsendable, outcome} = answers[index]!;
		const title = `${from} ${source ?? ''}:${sourcePort ?? ''} → ${to}`;
		t.deepEqual(gaps, [], title);
		t.is(unsendable?.errno ?? steps.join(' '), pathSummary, title);
		if (unsendable !== undefined) {
			t.is(outcome, 'unreachable', title);
			t.deepEqual(steps, ['unreachable'], title);
			t.regex(unsendable.message, new RegExp(`was not sent: (?:connect|bind|send) failed with ${pathSummary}`, 'u'), title);
			t.true(unsendable.message.includes(printEndpoint({address: to, port: 8080})), title);
		}
	}
});

test.serial('a thousand sources of other hosts cause no waiting', async t => {
	const asked = Array.from({length: 1000}, (_, index): Asking => ({
		from: 'remote', to: index % 2 === 0 ? pod : pod6, source: index % 2 === 0 ? `198.18.${Math.floor(index / 250)}.${(index % 250) + 1}` : `2001:db8:5::${(index + 1).toString(16)}`, sourcePort: 53, pathSummary: inbound,
	}));
	const answers = await ask(asked);
	t.is(answers.unanswered, 0);
	t.true(answers.every(({path, gaps, outcome}) => path.slice(1).join(' ') === inbound && gaps.length === 0 && outcome === 'delivered'));
});

test.serial('a packet that the kernel drops as forged, without a rule, is a gap and not an answer', async t => {
	const [answer] = await ask([{
		from: 'remote', source: pod, to: pod, pathSummary: '',
	}], 100);
	t.is(answer!.outcome, 'inconclusive');
	t.deepEqual(answer!.gaps.map(({kind}) => kind), ['no-end']);
});
