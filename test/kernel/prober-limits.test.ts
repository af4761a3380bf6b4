/** Limited resources of the kernel: five-tuples, source ports, tracked connections, ports in TIME_WAIT. Each limit is provoked, and must lead to a path or to a gap with the reason. */

import process from 'node:process';
import {readFileSync} from 'node:fs';
import test from 'ava';
import {backends} from '../../src/netfilter/types.js';
import {Conntrack} from '../../testbed/sandbox/conntrack.js';
import type {Netns} from '../../testbed/sandbox/netns.js';
import {closeDescriptor} from '../../testbed/syscalls/netns.js';
import {openNetfilterSocket, sendDatagram} from '../../testbed/syscalls/netlink-socket.js';
import {listenTransparently} from '../../testbed/syscalls/transparent.js';
import {
	gapsIn, request, pathOf, withProber,
} from './_prober.js';

const captured = 'pod > OUTPUT#1 > ISTIO_OUTPUT#9 > ISTIO_REDIRECT#1 > POSTROUTING > refused';

/** Keeps the prober from forgetting connections, for the time of a test. */
async function withoutFlush(act: () => Promise<void>): Promise<void> {
	const {flush} = Conntrack.prototype;
	Conntrack.prototype.flush = () => undefined;
	try {
		await act();
	} finally {
		Conntrack.prototype.flush = flush;
	}
}

test.serial('the same five-tuple again and again: each time it is a first packet', async t => {
	await withProber({}, async prober => {
		const answers = await prober.probe(Array.from({length: 10}, (_, index) => request(index, {sourcePort: 40_000, protocol: index % 2 === 0 ? 'tcp' : 'udp'})));
		t.deepEqual(gapsIn(answers), []);
		t.deepEqual(answers.map(answer => pathOf(answer)), Array.from({length: 10}, (_, index) => index % 2 === 0 ? captured : 'pod > OUTPUT#1 > ISTIO_OUTPUT#9 > POSTROUTING > refused'));
	});
});

test.serial('the same five-tuple again and again, without deleting connections: a gap says that nat was not consulted', async t => {
	await withoutFlush(async () => {
		await withProber({}, async prober => {
			// Of UDP: a connection of TCP that was refused is opened again by its next SYN.
			const answers = await prober.probe([1, 2].map(index => request(index, {protocol: 'udp', sourcePort: 40_000})));
			t.deepEqual(answers[0]!.gaps, []);
			t.true(answers[1]!.gaps.some(({kind}) => kind === 'not-traced'), JSON.stringify(answers[1]!.gaps));
		});
	});
});

test.serial('ten source ports for a hundred probes: all are complete', async t => {
	const prepare = async ({pod}: {readonly pod: Netns}): Promise<void> => {
		pod.setSysctl('net/ipv4/ip_local_port_range', '40000 40009');
	};

	await withProber({prepare}, async prober => {
		const answers = await prober.probe(Array.from({length: 100}, (_, index) => request(index)));
		t.deepEqual(gapsIn(answers), []);
		t.true(answers.every(answer => pathOf(answer) === captured));
		t.true(new Set(answers.map(({leg}) => leg!.from.port)).size <= 10);
	});
});

for (const [backend, protocol] of [...backends.map(backend => [backend, 'tcp'] as const), ['iptables-nft', 'udp'] as const, ['iptables-legacy', 'udp'] as const]) {
	test.serial(`${backend}, ${protocol}: one source port for the app and the proxy: neither is taken for the other, and nobody is asked twice`, async t => {
		const prepare = async ({pod}: {readonly pod: Netns}): Promise<void> => {
			pod.setSysctl('net/ipv4/ip_local_port_range', '40000 40000');
		};

		const rules = protocol === 'tcp' ? undefined : '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m owner --uid-owner 1337 -j ACCEPT\n-A OUTPUT -p udp -j ACCEPT\nCOMMIT\n';
		await withProber({backend, rules, prepare}, async prober => {
			const owners = [1000, 1337, 1000, 1337];
			const answers = await prober.probe(owners.map((owner, index) => request(index, {uid: owner, gid: owner, protocol})));
			t.deepEqual(gapsIn(answers), []);
			t.deepEqual(answers.map(({leg}) => leg!.from.port), owners.map(() => 40_000));
			t.deepEqual(answers.map(({leg}) => leg!.socket!.uid), owners);
			const [app, proxy] = answers.map(answer => pathOf(answer));
			t.not(app, proxy);
			t.deepEqual(answers.map(answer => pathOf(answer)), [app, proxy, app, proxy]);
			t.is(prober.repeated, 0);
		});
	});
}

test.serial('one source port, and the second who has it gets no answer: its socket does not keep the port from its next attempt', async t => {
	const prepare = async ({pod}: {readonly pod: Netns}): Promise<void> => {
		pod.setSysctl('net/ipv4/ip_local_port_range', '40000 40000');
	};

	const rules = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m owner --uid-owner 1000 -j DROP\nCOMMIT\n';
	await withProber({rules, prepare}, async prober => {
		const answers = await prober.probe([1337, 1000].map((owner, index) => request(index, {uid: owner, gid: owner})), AbortSignal.timeout(20_000));
		t.deepEqual(gapsIn(answers), []);
		t.deepEqual(answers.map(answer => pathOf(answer)), ['pod > filter:OUTPUT > refused', 'pod > filter:OUTPUT#1 > dropped by filter:OUTPUT#1']);
	});
});

for (const backend of backends) {
	test.serial(`${backend}: 64 source ports for 40 datagrams to 40 places: each gets one of its own, because NFLOG tells datagrams of IPv6 apart by it`, async t => {
		const prepare = async ({pod}: {readonly pod: Netns}): Promise<void> => {
			pod.setSysctl('net/ipv4/ip_local_port_range', '40000 40063');
		};

		await withProber({backend, families: ['ipv4', 'ipv6'], prepare}, async prober => {
			const answers = await prober.probe(Array.from({length: 40}, (_, index) => request(index, {protocol: 'udp', to: {address: '2001:db8:1::20', port: 9000 + index}})));
			t.deepEqual(gapsIn(answers), []);
			t.is(new Set(answers.map(({leg}) => leg!.from.port)).size, 40);
			t.is(prober.repeated, 0);
		});
	});
}

for (const [title, isReleased] of [['for a moment: the probe is sent after that', true], ['all the time: a gap that says so', false]] as const) {
	test.serial(`a source port that somebody holds ${title}`, async t => {
		let held: number | undefined;
		const release = async (): Promise<void> => {
			if (held !== undefined) {
				closeDescriptor(held);
				held = undefined;
			}
		};

		const prepare = async ({pod}: {readonly pod: Netns}): Promise<void> => {
			held = pod.enter(() => listenTransparently({family: 'ipv4', protocol: 'tcp', port: 41_000}));
		};

		await withProber({prepare, ...(isReleased ? {beforeRead: release} : {})}, async prober => {
			const answers = await prober.probe([request('held', {sourcePort: 41_000}), request('any')]);
			t.deepEqual(gapsIn(answers), isReleased ? [] : ['held no-end: Probe held to 10.244.1.20:8080 from port 41000 was not sent: bind failed with EADDRINUSE.']);
			t.deepEqual(answers.map(answer => pathOf(answer)), [isReleased ? captured : 'not sent', captured]);
			t.is(prober.repeated, 0, 'what was not sent is not sent again');
		});
		await release();
	});
}

/** Connects in the pod from a port to 127.0.0.1:7777, and leaves it in TIME_WAIT, where it stays. */
async function leaveInTimeWait(pod: Netns, port: number): Promise<void> {
	pod.setSysctl('net/ipv4/tcp_tw_reuse', '0'); // On `lo` the kernel would take it up again after a second.
	await pod.run(process.execPath, ['-e', `
const net = require('node:net');
const server = net.createServer(socket => socket.on('end', () => { socket.end(); }).resume()).listen(7777, '127.0.0.1', () => {
	const client = net.connect({port: 7777, host: '127.0.0.1', localPort: ${port}}, () => { client.end(); });
	client.resume().on('close', () => { server.close(); });
});`]);
}

/** The kernel takes a pair of addresses in TIME_WAIT up again for who asks for its port, if timestamps tell old segments from new ones (`tcp_twsk_unique`). */
for (const [title, timestamps] of [['taken up again, and whole', '1'], ['a gap that says so, where there are no timestamps', '0']] as const) {
	test.serial(`a source port in TIME_WAIT: ${title}; without a fixed port the probe is complete`, async t => {
		const prepare = async ({pod}: {readonly pod: Netns}): Promise<void> => {
			pod.setSysctl('net/ipv4/tcp_timestamps', timestamps);
			await leaveInTimeWait(pod, 40_123);
			t.regex(pod.enter(() => readFileSync('/proc/thread-self/net/tcp', 'utf8')), /0100007F:9CBB 0100007F:1E61 06/u, '127.0.0.1:40123 → :7777 in TIME_WAIT');
		};

		await withProber({prepare}, async prober => {
			const to = {address: '127.0.0.1', port: 7777};
			const answers = await prober.probe([request('same', {to, sourcePort: 40_123}), request('any', {to})]);
			const whole = 'pod > OUTPUT#1 > ISTIO_OUTPUT#3 > POSTROUTING > refused';
			t.deepEqual(answers.map(answer => pathOf(answer)), [timestamps === '1' ? whole : 'not sent', whole]);
			t.deepEqual(gapsIn(answers), timestamps === '1' ? [] : ['same no-end: Probe same to 127.0.0.1:7777 from port 40123 was not sent: connect failed with EADDRNOTAVAIL: another socket has this pair of addresses, or had it and is in TIME_WAIT.']);
		});
	});
}

test.serial('no free source port: a gap that says so', async t => {
	const prepare = async ({pod}: {readonly pod: Netns}): Promise<void> => {
		await leaveInTimeWait(pod, 40_000);
		pod.setSysctl('net/ipv4/ip_local_port_range', '40000 40000');
	};

	await withProber({prepare}, async prober => {
		const answers = await prober.probe([request('one', {to: {address: '127.0.0.1', port: 7777}})]);
		t.deepEqual(gapsIn(answers), ['one no-end: Probe one to 127.0.0.1:7777 was not sent: connect failed with EADDRNOTAVAIL: no source port is free (net.ipv4.ip_local_port_range of the namespace).']);
	});
});

const connectionsMax = Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_max', 'utf8'));

function attribute(type: number, ...payload: readonly Uint8Array[]): Uint8Array {
	const length = payload.reduce((sum, part) => sum + part.length, 4);
	const bytes = new Uint8Array((length + 3) & ~3);
	new DataView(bytes.buffer).setUint16(0, length, true);
	new DataView(bytes.buffer).setUint16(2, type, true);
	let at = 4;
	for (const part of payload) {
		bytes.set(part, at);
		at += part.length;
	}

	return bytes;
}

const nested = 0x80_00;
const network32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
const network16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value);

function tuple(type: number, {source, destination, ports}: {readonly source: number; readonly destination: number; readonly ports: readonly [number, number]}): Uint8Array {
	return attribute(
		type | nested,
		attribute(1 | nested, attribute(1, network32(source)), attribute(2, network32(destination))),
		attribute(2 | nested, attribute(1, Uint8Array.of(17)), attribute(2, network16(ports[0])), attribute(3, network16(ports[1]))),
	);
}

/** One entry from 10.0.0.0:1, as ctnetlink takes it: assured, so that the kernel does not drop it early, for an hour. */
function connection(): Uint8Array {
	const [source, destination] = [0x0A_00_00_00, 0xC0_00_02_01];
	const body = [
		Uint8Array.of(2, 0, 0, 0), // `struct nfgenmsg`: AF_INET
		tuple(1, {source, destination, ports: [1, 9]}),
		tuple(2, {source: destination, destination: source, ports: [9, 1]}),
		attribute(3, network32(0x0E)), // IPS_SEEN_REPLY, _ASSURED, _CONFIRMED
		attribute(7, network32(3600)),
	];
	const header = new Uint8Array(16);
	const length = body.reduce((sum, part) => sum + part.length, 16);
	new DataView(header.buffer).setUint32(0, length, true);
	new DataView(header.buffer).setUint16(4, 1 << 8, true); // IPCTNL_MSG_CT_NEW
	new DataView(header.buffer).setUint16(6, 1 | 0x4_00, true); // NLM_F_REQUEST | NLM_F_CREATE
	return Uint8Array.from([header, ...body].flatMap(part => [...part]));
}

/** As many connections as the kernel follows in one namespace. */
function fillConntrack(netns: Netns): void {
	const fd = netns.enter(() => openNetfilterSocket(1 << 20));
	const one = connection();
	// In each tuple, behind its header: the header of the addresses, then each address and each port behind its own.
	const [original, reply] = [20, 20 + ((one.length - 36) / 2)];
	const perCall = 400;
	const many = new Uint8Array(one.length * perCall);
	const view = new DataView(many.buffer);
	for (let done = 0; done <= connectionsMax; done += perCall) {
		for (let index = 0; index < perCall; index++) {
			const at = index * one.length;
			const port = 1 + ((done + index) % 60_000);
			const source = 0x0A_00_00_00 + Math.floor((done + index) / 60_000);
			many.set(one, at);
			view.setUint32(at + original + 12, source);
			view.setUint16(at + original + 40, port);
			view.setUint32(at + reply + 20, source);
			view.setUint16(at + reply + 48, port);
		}

		sendDatagram(fd, many);
	}

	closeDescriptor(fd);
}

test.serial('a full conntrack table: a gap that says so; if it is cleared before the batch, every path is complete', async t => {
	const prepare = async ({pod}: {readonly pod: Netns}): Promise<void> => {
		fillConntrack(pod);
		t.true(Number(pod.enter(() => readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8'))) >= connectionsMax);
	};

	await withProber({prepare, timeoutMs: 100}, async prober => {
		await withoutFlush(async () => {
			const answers = await prober.probe([request(1)]);
			t.regex(gapsIn(answers).join('\n'), /not-traced|no-end/u);
			t.regex(gapsIn(answers).join('\n'), /the conntrack table is full \(\d+ of \d+\)/u);
		});
		const answers = await prober.probe([request(1), request(2)]);
		t.deepEqual(gapsIn(answers), []);
		t.deepEqual(answers.map(answer => pathOf(answer)), [captured, captured]);
	});
});
