/** What the kernel has not done yet when `send` returns: answers that another processor carries, and what is sure although the trace is lost. */

import {cpus} from 'node:os';
import test from 'ava';
import {backends} from '../../src/netfilter/types.js';
import {encodeBatch} from '../../testbed/prober/encode.js';
import {sharedMemory, states, resultWords, type SenderAnswer} from '../../testbed/prober/protocol.js';
import {startSender} from '../../testbed/prober/sender.js';
import type {Sandbox} from '../../testbed/sandbox/sandbox.js';
import {
	gapsIn, request, pathOf, withProber,
} from './_prober.js';

/** The first processors, as the kernel takes a mask. */
const processors = ((1 << Math.min(8, cpus().length)) - 1).toString(16);

/** Has every packet taken up by all processors in turn (receive packet steering, Documentation/networking/scaling of the kernel), as `net.core.rps_default_mask` does on machines with fast links: no answer is there when `send` returns, but by chance. The files are those of the namespace whose sysfs it is. */
async function steerPackets({pod, remote}: Sandbox): Promise<void> {
	for (const netns of [pod, remote]) {
		await netns.run('unshare', ['--mount', 'sh', '-ec', 'mount -t sysfs sysfs /sys; for device in lo eth0; do echo "$0" > /sys/class/net/$device/queues/rx-0/rps_cpus; done', processors]); // eslint-disable-line no-await-in-loop -- Two.
	}
}

for (const backend of backends) {
	test.serial(`${backend}: datagrams that another processor delivers all end as refused`, async t => {
		await withProber({backend, families: ['ipv4', 'ipv6'], prepare: steerPackets}, async prober => {
			const answers = await prober.probe(Array.from({length: 3000}, (_, index) => request(index, [
				{protocol: 'udp' as const},
				{protocol: 'udp' as const, to: {address: '10.244.1.10', port: 9999}},
				{protocol: 'udp' as const, to: {address: '2001:db8:1::20', port: 9999}},
				{},
				{from: 'remote' as const, protocol: 'udp' as const, to: {address: '10.244.1.10', port: 9999}},
			][index % 5])));
			t.deepEqual(gapsIn(answers), []);
			t.deepEqual(answers.filter(({leg}) => leg!.end.kind !== 'refused').map(answer => `${answer.id} ${pathOf(answer)}`), []);
			t.is(prober.repeated, 0);
		});
	});
}

test.serial('the same for the last datagram of a batch, whose result is asked for soonest', async t => {
	await withProber({batchSize: 1, prepare: steerPackets}, async prober => {
		const answers = await prober.probe(Array.from({length: 60}, (_, index) => request(index, {protocol: 'udp', to: {address: '10.244.1.20', port: 9999}})));
		t.deepEqual(gapsIn(answers), []);
		t.deepEqual(answers.filter(({leg}) => leg!.end.kind !== 'refused').map(answer => `${answer.id} ${pathOf(answer)}`), []);
	});
});

test.serial('the same for packets that conntrack calls invalid', async t => {
	await withProber({prepare: steerPackets, hasInvalid: true}, async prober => {
		const answers = await prober.probe(Array.from({length: 300}, (_, index) => request(index, {from: 'remote', packet: 'invalid', to: {address: '10.244.1.10', port: 9999}})));
		t.deepEqual(gapsIn(answers), []);
		t.deepEqual(answers.filter(({leg}) => leg!.end.kind !== 'refused').map(answer => `${answer.id} ${pathOf(answer)}`), []);
	});
});

test.serial('if the trace is lost, packets that the kernel refused to send are still certain', async t => {
	await withProber({bufferBytes: 1}, async prober => {
		const unsent = request('unsent', {source: '127.0.0.6', uid: 1337, gid: 1337});
		const [one, other] = await prober.probe([unsent, request('sent')]);
		t.is(one!.unsendable?.errno, 'EINVAL');
		t.deepEqual(gapsIn([one!]), []);
		t.true(gapsIn([other!]).some(gap => gap.includes('lost-events')));
	});
});

test.serial('a batch ends early if one of its connections has waited too long, and continues after its events were read', async t => {
	await withProber({}, async (prober, {sandbox}) => {
		// A device behind which nobody answers: the first one waits from its beginning.
		const requests = Array.from({length: 20}, (_, index) => request(index, {to: {address: '127.0.0.1', port: 8080}, bindDevice: 'eth0'}));
		await using sender = await startSender({
			netns: sandbox.pod.descriptor, quietNetns: sandbox.remote.descriptor, memory: sharedMemory(0x7F_FF_FF_FF),
		}, 'pod');
		const send = async (waitedMs: number | undefined) => {
			sender.tell({...encodeBatch(requests).request, waitedMs});
			return sender.next<SenderAnswer, 'sent'>('sent');
		};

		const late = await send(60_000);
		t.is(late.tried, 0);
		t.true(late.waitedMs! >= 60_000);
		t.deepEqual(requests.filter((_, index) => late.results[(index * resultWords.words) + resultWords.state] !== states.unsent), []);
		const first = await send(undefined);
		t.true(first.tried > 0);
		t.is(first.results[resultWords.state], states.pending);
		t.true(first.waitedMs! >= 0);
		// A datagram is not sent again by the kernel: nothing waits for it.
		sender.tell({type: 'settle', indices: [], timeoutMs: 0});
		await sender.next<SenderAnswer, 'settled'>('settled');
		sender.tell(encodeBatch([request('datagram', {protocol: 'udp', to: {address: '127.0.0.1', port: 53}, bindDevice: 'eth0'})]).request);
		const {waitedMs} = await sender.next<SenderAnswer, 'sent'>('sent');
		t.is(waitedMs, undefined);
		t.is(prober.repeated, 0);
	});
});
