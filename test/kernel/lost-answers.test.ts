/**
Connections without an answer: they end as soon as nothing is left to do, in whatever hook a packet was dropped, and not before. The timeout is a minute here, so what waits for it takes far longer than what does not; no test depends on how long anything takes beyond that. What a slow process answers, or a repeated packet brings, is still seen.
*/

import {spawn, type ChildProcess} from 'node:child_process';
import {readFileSync} from 'node:fs';
import process from 'node:process';
import test from 'ava';
import {stepsOfPath, stopsOfPath} from '../../src/netfilter/path.js';
import {parseText} from '../../src/netfilter/rule-texts.js';
import {tableFamily} from '../../src/netfilter/lookup.js';
import {backends, type AddressFamily} from '../../src/netfilter/types.js';
import {addressFamilies, defaultTopology} from '../../src/mesh/topology.js';
import {exitStatusOfProbe, type ProbeReport} from '../../src/report/probe/types.js';
import {printProbe} from '../../src/report/probe/text.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {Client} from '../../testbed/actors/client.js';
import {beginConnection, openClientSocket} from '../../testbed/actors/client-socket.js';
import {runProbe} from '../../testbed/probe/explain.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {PacketWatch} from '../../testbed/sandbox/packet-watch.js';
import {PacketCapture} from '../../testbed/tracer/packet-capture.js';
import {parseFrame} from '../../src/trace/decode/packet.js';
import {closeDescriptor} from '../../testbed/syscalls/netns.js';
import {until} from './_cli.js';
import {
	optionsOf, outcomesOf, run, type Variation,
} from './_run.js';

const {places, resolver} = defaultTopology;
const timeoutMs = 60_000;
/** What waits for the timeout takes longer. */
const soonMs = 40_000;

type Asked = Partial<Pick<ProbeSpec, 'from' | 'protocol' | 'bindDevice'>> & {readonly to: ProbeSpec['to']};

const chains = {
	raw: ['PREROUTING', 'OUTPUT'], mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'], nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'], filter: ['INPUT', 'FORWARD', 'OUTPUT'],
} as const;

/** Rules of one iptables table, in its words. */
function save(table: keyof typeof chains, rules: readonly string[]): string {
	return [`*${table}`, ...chains[table].map(chain => `:${chain} ACCEPT [0:0]`), ...rules, 'COMMIT', ''].join('\n');
}

async function probe(text: string, {from = 'app', protocol = 'tcp', to, bindDevice}: Asked, {backend = 'iptables-nft', family = 'ipv4', ...rest}: Variation & {readonly family?: AddressFamily} = {}): Promise<ProbeReport> {
	const usual = loadRuleInput({source: 'release:1.30', families: [family], backend});
	const options = optionsOf({
		...rest, rules: {...usual, ruleSet: parseText({family: backend === 'nftables' ? null : family, text})}, backend, timeoutMs,
	});
	return runProbe({
		...options,
		question: {
			from, credentials: options.credentials[from], asked: `${to.address}:${to.port}`, family, protocol, to, ...(bindDevice === undefined ? {} : {bindDevice}),
		},
		isFirstLegOnly: false,
	});
}

/** Whether it takes less than a timeout. */
async function isSoon(act: () => Promise<unknown>): Promise<boolean> {
	const began = performance.now();
	await act();
	return performance.now() - began < soonMs;
}

const dropped: ReadonlyArray<readonly [title: string, rules: string, asked: Asked, end: string]> = [
	...([['tcp', 8080, places.remote.ipv4], ['udp', 53, resolver.ipv4]] as const).flatMap(([protocol, port, address]) => {
		const asked = {to: {address, port}, protocol} as const;
		const rule = `-p ${protocol} -m ${protocol} --dport ${port} -j DROP`;
		return [
			[`${protocol} in raw OUTPUT`, save('raw', [`-A OUTPUT ${rule}`]), asked, 'raw:OUTPUT#1'],
			[`${protocol} in mangle OUTPUT`, save('mangle', [`-A OUTPUT ${rule}`]), asked, 'mangle:OUTPUT#1'],
			[`${protocol} in filter OUTPUT`, save('filter', [`-A OUTPUT ${rule}`]), asked, 'filter:OUTPUT#1'],
			[`${protocol} in mangle POSTROUTING`, save('mangle', [`-A POSTROUTING ${rule}`]), asked, 'mangle:POSTROUTING#1'],
			[`the answer over ${protocol} in filter INPUT`, save('filter', [`-A INPUT -p ${protocol} -m ${protocol} --sport ${port} -j DROP`]), asked, 'answer-dropped by filter:INPUT#1'],
		] as const;
	}),
	['from outside, in mangle PREROUTING', save('mangle', ['-A PREROUTING -p tcp -m tcp --dport 8080 -j DROP']), {from: 'remote', to: {address: places.pod.ipv4, port: 8080}}, 'mangle:PREROUTING#1'],
	['from outside, in filter INPUT', save('filter', ['-A INPUT -p tcp -m tcp --dport 8080 -j DROP']), {from: 'remote', to: {address: places.pod.ipv4, port: 8080}}, 'filter:INPUT#1'],
	['to an address on the link that nobody has', save('nat', ['-A OUTPUT -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.77:8080']), {to: {address: places.remote.ipv4, port: 80}}, 'nowhere (10.244.1.77:8080)'],
	['to an address elsewhere that nobody has', save('nat', ['-A OUTPUT -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.7.7:8080']), {to: {address: places.remote.ipv4, port: 80}}, 'nowhere (10.244.7.7:8080)'],
	['to one of two addresses that nobody has, chosen at random', save('nat', ['-A OUTPUT -p tcp -m tcp --dport 80 -m statistic --mode nth --every 1 --packet 0 -j DNAT --to-destination 10.244.7.7:8080', '-A OUTPUT -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.7.8:8080']), {to: {address: places.remote.ipv4, port: 80}}, 'nowhere (10.244.7.7:8080)'],
];

for (const [title, rules, asked, end] of dropped) {
	test(`lost: ${title}`, async t => {
		t.true(await isSoon(async () => {
			const report = await probe(rules, asked);
			t.is(exitStatusOfProbe(report), 0, printProbe(report, {color: false, verbose: false, width: 100}));
			const last = stepsOfPath(report).at(-1)!;
			t.true(last === end || last === `dropped by ${end}`, last);
		}));
	});
}

test('lost: the third packet of a handshake', async t => {
	t.true(await isSoon(async () => {
		const {legs} = await probe(save('filter', ['-A OUTPUT -p tcp -m tcp --dport 8080 -m conntrack --ctstate ESTABLISHED -j DROP']), {to: {address: places.remote.ipv4, port: 8080}});
		t.is(legs.length, 1);
		t.not(legs[0]!.end.kind, 'accepted', 'the listener never has it');
	}));
});

test('lost: the data of a connection, which the kernel has sent again', async t => {
	t.true(await isSoon(async () => {
		const report = await probe(save('mangle', ['-A INPUT -p tcp -m tcp --sport 8080 -m connmark --mark 0x7 -j DROP', '-A INPUT -p tcp -m tcp --sport 8080 -j CONNMARK --set-xmark 0x7/0xffffffff']), {to: {address: places.remote.ipv4, port: 8080}});
		t.deepEqual(stopsOfPath(report), ['remote:8080']);
		t.not(exitStatusOfProbe(report), 0, 'how it ended is not known');
	}));
});

function nft(family: AddressFamily, rule: string): string {
	return `table ${tableFamily(family)} own {\n\tchain out {\n\t\ttype filter hook output priority 0; policy accept;\n\t\t${rule}\n\t}\n}\n`;
}

for (const {backend, family} of backends.flatMap(backend => addressFamilies.map(family => ({backend, family})))) {
	test(`lost: ${backend}, ${family}`, async t => {
		for (const [protocol, port, {[family]: address}] of [['tcp', 8080, places.remote], ['udp', 53, resolver]] as const) {
			const rules = backend === 'nftables' ? nft(family, `${protocol} dport ${port} counter drop`) : save('filter', [`-A OUTPUT -p ${protocol} -m ${protocol} --dport ${port} -j DROP`]);
			t.true(await isSoon(async () => { // eslint-disable-line no-await-in-loop -- One sandbox at a time.
				const {legs: [leg]} = await probe(rules, {protocol, to: {address, port}}, {backend, family});
				t.is(leg!.end.kind, 'dropped');
			}));
		}
	});
}

/** Stops the processes of all actors before anything is sent, and lets them continue later. */
function stoppedFor(ms: number): Pick<Variation, 'onActors'> {
	return {
		onActors(actors) {
			const pids = new Set([...actors.values()].flatMap(({pid}) => pid ?? []));
			const signal = (name: NodeJS.Signals): void => {
				for (const pid of pids) {
					process.kill(pid, name);
				}
			};

			signal('SIGSTOP');
			setTimeout(() => {
				signal('SIGCONT');
			}, ms);
		},
	};
}

test('a late answer is seen: no process gets processor time for two seconds', async t => {
	const report = await run({rules: 'release:1.30', ...stoppedFor(2000)});
	t.deepEqual([...new Set(Object.values(outcomesOf(report)))], ['pass'], JSON.stringify(outcomesOf(report)));
	const query = await probe(save('nat', ['-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT']), {protocol: 'udp', to: {address: resolver.ipv4, port: 53}}, stoppedFor(2000));
	t.deepEqual(stopsOfPath(query), ['dns:53']);
});

test('a late answer is seen: one process stands still while the others have nothing to do', async t => {
	let isStopped = false;
	const report = await run({
		rules: 'release:1.30',
		onActors(actors) {
			const pid = actors.get('proxy')!.pid!;
			process.kill(pid, 'SIGSTOP');
			isStopped = true;
			setTimeout(() => {
				process.kill(pid, 'SIGCONT');
			}, 1500);
		},
	});
	t.true(isStopped);
	t.deepEqual([...new Set(Object.values(outcomesOf(report)))], ['pass'], JSON.stringify(outcomesOf(report)));
});

test('what a repeated packet brings is seen: a rule that drops the first one only', async t => {
	const report = await probe(save('filter', ['-A OUTPUT -p tcp -m tcp --dport 8080 -m statistic --mode nth --every 1000 --packet 0 -j DROP']), {to: {address: places.remote.ipv4, port: 8080}});
	t.is(report.legs[0]!.end.kind, 'accepted', printProbe(report, {color: false, verbose: false, width: 100}));
});

test('what a repeated packet brings is seen: a rule that remembers the connection by its mark', async t => {
	const report = await probe(save('mangle', ['-A INPUT -p tcp -m tcp --sport 8080 -m connmark --mark 0x7 -j ACCEPT', '-A INPUT -p tcp -m tcp --sport 8080 -j CONNMARK --set-xmark 0x7/0xffffffff', '-A INPUT -p tcp -m tcp --sport 8080 -j DROP']), {to: {address: places.remote.ipv4, port: 8080}});
	t.is(report.legs[0]!.end.kind, 'accepted', printProbe(report, {color: false, verbose: false, width: 100}));
});

test('what a repeated packet brings is known: an error of ICMP, which is only noted while the socket is still in connect()', async t => {
	for (let tries = 0; tries < 3; tries++) {
		const {legs: [leg]} = await probe(save('filter', []), {to: {address: 'fe80::77', port: 80}, bindDevice: 'eth0'}, {family: 'ipv6'}); // eslint-disable-line no-await-in-loop -- One sandbox at a time.
		t.is(leg!.end.kind, 'unreachable', JSON.stringify(leg!.end));
	}
});

/** Runs something while the processors are busy. */
async function underLoad<T>(act: () => Promise<T>): Promise<T> {
	const loops: ChildProcess[] = Array.from({length: 4}, () => spawn(process.execPath, ['-e', 'for (;;);'], {stdio: 'ignore'}));
	try {
		return await act();
	} finally {
		for (const loop of loops) {
			loop.kill('SIGKILL');
		}
	}
}

test('on a busy machine: what is answered has its answer, and what is lost is lost', async t => {
	await underLoad(async () => {
		for (let round = 0; round < 2; round++) {
			const report = await run({rules: 'release:1.30', families: addressFamilies, timeoutMs}); // eslint-disable-line no-await-in-loop -- One sandbox at a time.
			t.deepEqual([...new Set(Object.values(outcomesOf(report)))], ['pass'], JSON.stringify(outcomesOf(report)));
		}

		t.true(await isSoon(async () => {
			const {legs: [leg]} = await probe(save('filter', ['-A OUTPUT -p udp -m udp --dport 53 -j DROP']), {protocol: 'udp', to: {address: resolver.ipv4, port: 53}});
			t.is(leg!.end.kind, 'dropped');
		}));
	});
});

/** Whether this thread's namespace has received an ICMP error that says that a destination cannot be reached. */
function isErrorThere(family: AddressFamily): boolean {
	if (family === 'ipv6') {
		return /^Icmp6InDestUnreachs\s+[1-9]/mu.test(readFileSync('/proc/thread-self/net/snmp6', 'utf8'));
	}

	const [names, numbers] = readFileSync('/proc/thread-self/net/snmp', 'utf8').split('\n').filter(line => line.startsWith('Icmp:')).map(line => line.split(' '));
	return Number(numbers![names!.indexOf('InDestUnreachs')]) > 0;
}

// A rule of the same namespace rejects the packet, so the error arrives before connect() returns: a router's error may come later, and then ends the attempt by itself.
for (const [family, address] of [['ipv4', '127.0.0.1'], ['ipv6', '::1']] as const) {
	test(`an error of ICMP that the kernel only noted is the end of a connection that is given up: ${family}`, async t => {
		await using netns = Netns.create('rejects', ['lo']);
		await netns.run('ip', ['link', 'set', 'lo', 'up']);
		await netns.runConfined('nft', ['-f', '-'], {input: 'table inet rejects {\n\tchain output {\n\t\ttype filter hook output priority 0\n\t\ttcp dport 80 reject with icmpx type no-route\n\t}\n}\n'});
		const records: SocketRecord[] = [];
		const client = new Client(netns, {
			name: 'app', uid: 1000, gid: 1000, timeoutMs, ownSource: {},
		}, record => {
			records.push(record);
		});
		const opened = client.open({id: 'x', to: {address, port: 80}, protocol: 'tcp', source: undefined});
		await until('the error has arrived', () => netns.enter(() => isErrorThere(family)) || undefined);
		client.giveUp('given up');
		t.deepEqual(await opened, {answered: false, reason: 'connect ENETUNREACH'});
		t.like(records.find(({kind}) => kind === 'ended'), {result: 'unreachable', reason: 'connect ENETUNREACH'});
	});
}

/** Sends a first packet of TCP from a namespace. The receiver closes the descriptor. */
function beginFrom(netns: Netns, address: string): number | undefined {
	const made = openClientSocket({
		netns, credentials: {uid: 0, gid: 0}, isIpv6: false, isUdp: false, source: undefined,
	});
	return 'fd' in made && !('refusal' in beginConnection(made.fd, {address, port: 9})) ? made.fd : undefined;
}

test('packets are counted, its own are not', async t => {
	await using netns = Netns.create('quiet', ['lo']);
	await netns.run('ip', ['link', 'set', 'lo', 'up']);
	using packetWatch = new PacketWatch([netns], netns);
	using capture = new PacketCapture([netns]);
	using everything = new PacketCapture([netns]);
	const before = packetWatch.packets;
	t.true(packetWatch.drain());
	t.true(packetWatch.drain());
	t.is(packetWatch.packets, before);
	t.false(packetWatch.isAnyExpected({firstPackets: 0}));
	closeDescriptor(beginFrom(netns, '127.0.0.1')!);
	t.true(packetWatch.drain());
	t.is(packetWatch.packets, before + 4, 'a first packet and its refusal, sent and received');
	const {packets} = capture.read((where, frame) => packetWatch.isOwn(where, frame));
	t.deepEqual(packets.map(({bytes}) => parseFrame(bytes)?.tcpFlags), [0x02, 0x14], 'a capture holds these two and none of its own');
	t.true(everything.read(() => false).packets.length > packets.length, 'which would be there otherwise');
});

test('an answer is expected while a neighbor is asked for, until it counts as missing', async t => {
	await using netns = Netns.create('near', ['lo', 'eth0']);
	await using other = Netns.create('other', ['eth0']);
	await netns.runConfined('ip', ['-batch', '-'], {
		input: `link set lo up\nlink add eth0 type veth peer name eth0 netns ${other.pathInTool}\naddr add 10.9.9.1/24 dev eth0\nlink set eth0 up\n`, inherited: [other.descriptor],
	});
	await other.run('ip', ['link', 'set', 'eth0', 'up']);
	using packetWatch = new PacketWatch([netns, other], netns);
	t.false(packetWatch.isAnyExpected({firstPackets: 0}));
	const fd = beginFrom(netns, '10.9.9.2')!;
	t.true(packetWatch.isAnyExpected({firstPackets: 0}));
	const until = performance.now() + 20_000;
	while (packetWatch.isAnyExpected({firstPackets: 0}) && performance.now() < until) {
		await new Promise(resolve => { // eslint-disable-line no-await-in-loop -- Nothing tells when it is missing.
			setTimeout(resolve, 50);
		});
	}

	t.false(packetWatch.isAnyExpected({firstPackets: 0}));
	closeDescriptor(fd);
});

test('an answer is expected until a first packet was sent again as often as asked', async t => {
	await using netns = Netns.create('near', ['lo', 'eth0']);
	await using other = Netns.create('other', ['eth0']);
	await netns.runConfined('ip', ['-batch', '-'], {
		input: `link set lo up\nlink add eth0 type veth peer name eth0 netns ${other.pathInTool}\naddr add 10.9.9.1/24 dev eth0\nlink set eth0 up\nneigh add 10.9.9.2 lladdr 02:00:00:00:00:01 dev eth0\n`, inherited: [other.descriptor],
	});
	await other.run('ip', ['link', 'set', 'eth0', 'up']);
	using packetWatch = new PacketWatch([netns, other], netns);
	const fd = beginFrom(netns, '10.9.9.2')!;
	t.false(packetWatch.isAnyExpected({firstPackets: 0}));
	t.true(packetWatch.isAnyExpected({firstPackets: 1}));
	const until = performance.now() + 20_000;
	while (packetWatch.isAnyExpected({firstPackets: 1}) && performance.now() < until) {
		await new Promise(resolve => { // eslint-disable-line no-await-in-loop -- Nothing tells when it is sent again.
			setTimeout(resolve, 50);
		});
	}

	t.false(packetWatch.isAnyExpected({firstPackets: 1}));
	closeDescriptor(fd);
});
