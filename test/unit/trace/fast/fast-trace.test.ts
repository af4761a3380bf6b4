/** The fast way from bytes to packets gives what the reference gives: for recordings of the kernel, whole and spoilt. */

import test from 'ava';
import fc from 'fast-check';
import type {TraceEvent} from '../../../../src/trace/decode/event.js';
import {FastTrace} from '../../../../src/trace/fast/fast-trace.js';
import {createLookup} from '../../../../src/trace/lookup.js';
import {lostInSequence} from '../../../../src/trace/lost-messages.js';
import {NetlinkFormatError} from '../../../../src/trace/decode/netlink.js';
import {nflogMessageType} from '../../../../src/trace/decode/nflog.js';
import {arrivalOf, rowWords, unpackPacket} from '../../../../src/trace/fast/packed-packet.js';
import {
	assemblePackets, invalidChains, type Lookup, type TracedPacket,
} from '../../../../src/trace/packets.js';
import {
	decode, readRecording, recordingNames,
} from '../../../helpers/recordings.js';
import {
	attribute, bytes, general, ipv4, ipv6, message, tcp, text, udp, uint32, uint64,
} from '../_bytes.js';

/** The name that the switch has in the recordings. */
const traceTable = 'testbed-trace';

type Datagram = {readonly stream: 'nft' | 'nflog'; readonly bytes: Uint8Array};
type Seen = {readonly packets: readonly TracedPacket[]; readonly orphans: number; readonly lost: readonly string[]; readonly notUnderstood: number};

const names = recordingNames;
const decoders = {nft: 'nft', nflog: 'nflog'} as const;

function lookupOf(name: typeof names[number]): Lookup {
	const {ruleSet, round} = readRecording(name);
	return createLookup({
		ruleSet, loaded: round.after, interfaces: round.interfaces, traceTable,
	});
}

/** So many base chains some packet passes at least. Istio's native rules have one for each way. */
function leastChains(name: typeof names[number]): number {
	return name.startsWith('nftables') ? 1 : 2;
}

/** The switch's own events first, as round.ts has it. */
function inOrder(datagrams: readonly Datagram[]): readonly Datagram[] {
	return [...datagrams.filter(({stream}) => stream === 'nft'), ...datagrams.filter(({stream}) => stream === 'nflog')];
}

function slow(datagrams: readonly Datagram[], lookup: Lookup): Seen {
	const events: TraceEvent[] = [];
	let notUnderstood = 0;
	for (const datagram of datagrams) {
		try {
			const decoded = decode({...datagram, stream: decoders[datagram.stream]});
			events.push(...decoded.events);
			notUnderstood += decoded.notUnderstood.length;
		} catch (error) {
			if (!(error instanceof NetlinkFormatError)) {
				throw error;
			}

			notUnderstood++;
		}
	}

	return {...assemblePackets(events, lookup), lost: lostInSequence(events).map(({message: what}) => what), notUnderstood};
}

function fast(datagrams: readonly Datagram[], lookup: Lookup, trace = new FastTrace(lookup)): Seen {
	const buffer = new Uint8Array(1 << 17);
	for (const datagram of datagrams) {
		buffer.fill(0xEE);
		buffer.set(datagram.bytes, 64);
		trace.add(buffer, 64, datagram.bytes.length);
	}

	const {rows, orphans, gaps} = trace.take();
	const shapes = trace.shapes.since(0).map(({traversal}) => traversal);
	const packets: TracedPacket[] = [];
	for (let row = 0; row < rows.length; row += rowWords(rows, row)) {
		packets.push(unpackPacket(rows, row, shapes));
	}

	return {
		packets,
		orphans,
		lost: gaps.filter(({kind}) => kind === 'lost-events').map(({message: what}) => what),
		notUnderstood: gaps.filter(({kind}) => kind === 'not-understood').reduce((sum, {message: what}) => sum + Number(/\((?<times>\d+) times\)/u.exec(what)?.groups?.['times'] ?? 1), 0),
	};
}

for (const name of names) {
	const datagrams = inOrder(readRecording(name).round.recording.datagrams);

	test(`${name}: the same packets as the reference, the first time and again`, t => {
		const lookup = lookupOf(name);
		const wanted = slow(datagrams, lookup);
		t.true(wanted.packets.length > 5 && wanted.packets.some(({traversals}) => traversals.length >= leastChains(name)), 'the recording shows something');
		t.true(wanted.packets.some(({traversals}) => traversals.some(({hits}) => hits.length > 1)));
		t.is(wanted.notUnderstood, 0);
		const trace = new FastTrace(lookup);
		t.deepEqual(fast(datagrams, lookup, trace), wanted);
		const learnt = trace.shapes.size;
		const again = fast(datagrams.filter(({stream}) => stream === 'nft'), lookup, trace);
		t.deepEqual(again.packets, slow(datagrams.filter(({stream}) => stream === 'nft'), lookup).packets);
		t.is(trace.shapes.size, learnt, 'no shape is worked out twice');
	});

	test(`${name}: the same if messages are lost, doubled, swapped or damaged`, t => {
		const lookup = lookupOf(name);
		const place = fc.nat(datagrams.length - 1);
		const damage = fc.oneof(
			fc.record({kind: fc.constant('lose' as const), place}),
			fc.record({kind: fc.constant('double' as const), place}),
			fc.record({kind: fc.constant('swap' as const), place, other: place}),
			fc.record({
				kind: fc.constant('spoil' as const), place, at: fc.nat(300), value: fc.nat(255),
			}),
			fc.record({kind: fc.constant('cut' as const), place, at: fc.nat(300)}),
		);
		type Damage = typeof damage extends fc.Arbitrary<infer Kind> ? Kind : never;
		let different = 0;
		// A trace that already knows these messages compares them with those it expects, and does not scan what is as expected.
		const learnt = datagrams.filter(({stream}) => stream === 'nft');
		const taught = new FastTrace(lookup);
		fc.assert(fc.property(fc.array(damage, {minLength: 1, maxLength: 12}), damages => {
			const spoilt = [...datagrams];
			for (const one of damages) {
				const datagram = spoilt[one.place] ?? spoilt[0]!;
				switch (one.kind) {
					case 'lose': {
						spoilt.splice(one.place, 1);
						break;
					}

					case 'double': {
						spoilt.splice(one.place, 0, datagram);
						break;
					}

					case 'swap': {
						if (one.place < spoilt.length && one.other < spoilt.length) {
							[spoilt[one.place], spoilt[one.other]] = [spoilt[one.other]!, spoilt[one.place]!];
						}

						break;
					}

					case 'spoil': {
						const changed = Uint8Array.from(datagram.bytes);
						changed[one.at % changed.length] = one.value;
						spoilt[Math.min(one.place, spoilt.length - 1)] = {...datagram, bytes: changed};
						break;
					}

					case 'cut': {
						spoilt[Math.min(one.place, spoilt.length - 1)] = {...datagram, bytes: datagram.bytes.slice(0, one.at)};
						break;
					}
				}
			}

			const wanted = slow(spoilt, lookup);
			different += Number(wanted.notUnderstood > 0 || wanted.orphans > 0 || wanted.lost.length > 0);
			const found = fast(spoilt, lookup);
			// A message that the kernel would not send can be one that only the slow decoder takes: that is a doubt, too.
			t.true(found.notUnderstood >= wanted.notUnderstood);
			if (found.notUnderstood === wanted.notUnderstood) {
				t.deepEqual(found, wanted);
			}

			fast(learnt, lookup, taught);
			const spoiltNft = spoilt.filter(({stream}) => stream === 'nft');
			const again = fast(spoiltNft, lookup, taught);
			const wantedNft = slow(spoiltNft, lookup);
			t.true(again.notUnderstood >= wantedNft.notUnderstood);
			if (again.notUnderstood === wantedNft.notUnderstood) {
				t.deepEqual(again, wantedNft);
			}
		}), {
			numRuns: 60,
			// A length that ends the message early: the framing is broken behind a message that could be read. Chance finds this once in some thousand runs.
			examples: datagrams.slice(0, 40).map((_, index): [Damage[]] => [[{
				kind: 'spoil', place: index, at: 0, value: 80,
			}]]),
		});
		t.true(different > 0, 'some damage shows');
	});
}

/** What the switch says of a packet in one of its chains. */
const switched = (chain: string, traceId: number, packet: readonly [network: Uint8Array, transport: Uint8Array]): Datagram => ({
	stream: 'nft',
	bytes: message((10 << 8) | 17, bytes(
		general(1),
		attribute(1, text(traceTable)),
		attribute(2, text(chain)),
		attribute(3, uint64(4)),
		attribute(4, uint32(3)),
		attribute(5, attribute(1, uint32(1))),
		attribute(6, uint32(traceId)),
		attribute(8, packet[0]),
		attribute(9, packet[1]),
	)),
});

/** What it says of a SYN: in the chain where it is sent, or the one where it comes in. */
const begin = (sourcePort: number, chain = 'output', segment = tcp({sourcePort, sequence: 77})): Datagram => switched(chain, sourcePort, [ipv4(6, new Uint8Array()), segment]);

/** What it says of a datagram. */
const datagram = (sourcePort: number, chain: string, {traceId = 1, identification = 7} = {}): Datagram => switched(chain, traceId, [ipv4(17, new Uint8Array(), {identification}), udp({sourcePort})]);

/** The same of the reset of a closed port: all of these have the number 0, and differ by what they acknowledge. */
const reset = (sourcePort: number, chain?: string): Datagram => begin(sourcePort, chain, tcp({
	sourcePort, sequence: 0, acknowledged: sourcePort + 1, flags: 0x14,
}));

/** What legacy says of the same SYN: the end of nat OUTPUT. */
const log = (sourcePort: number, sequence: number, payload = ipv4(6, tcp({sourcePort, sequence: 77}))): Datagram => ({
	stream: 'nflog',
	bytes: message(nflogMessageType, bytes(
		general(2),
		attribute(1, bytes(8, 0, 3, 0)),
		attribute(10, text('TRACE: nat:OUTPUT:policy:1 ')),
		attribute(9, payload),
		attribute(12, uint32(sequence)),
	)),
});

/** Of a datagram of IPv6: what the switch says, and what legacy says. */
const labeled = (flowLabel: number): Datagram => switched('output', flowLabel, [ipv6(17, new Uint8Array(), {flowLabel}), udp()]);
const labeledLog = (flowLabel: number, sequence: number): Datagram => log(0, sequence, ipv6(17, udp(), {flowLabel}));

/** One packet over lo, as the switch sees it. */
const overLo = ['output', 'sent', 'prerouting', 'arrived'].map(chain => begin(40_000, chain));

for (const [title, datagrams, wanted] of [
	['two connections with one sequence number: two packets, told apart where they begin', [begin(40_000), begin(40_001)], [40_000, 40_001]],
	['a packet over lo meets the switch where it is sent and where it comes in: one packet', [begin(40_000), begin(40_000, 'prerouting')], [40_000]],
	['a packet that is sent again is one of its own, though it meets the switch alone', [begin(40_000), begin(40_000, 'prerouting'), begin(40_000), begin(40_000, 'prerouting')], [40_000, 40_000]],
	['a packet that is sent again, whose log is read before the switch\'s word of it', [begin(40_000), log(40_000, 0), log(40_000, 1), begin(40_000)], [40_000, 40_000]],
	['the same, whose logs are all read before', [log(40_000, 0), log(40_000, 1), log(40_000, 2), ...overLo, ...overLo, ...overLo, ...overLo], [40_000, 40_000, 40_000, 40_000]],
	['two resets over lo that overtake each other: two packets', [reset(40_000), reset(40_001), reset(40_000, 'prerouting'), reset(40_001, 'prerouting')], [40_000, 40_001]],
	['the same from outside', [begin(40_000, 'prerouting'), begin(40_000, 'prerouting'), begin(40_000, 'prerouting')], [40_000, 40_000, 40_000]],
	['a datagram over lo whose source SNAT changes: one packet', [datagram(40_000, 'output'), ...['sent', 'prerouting', 'arrived'].map(chain => datagram(1024, chain))], [40_000]],
	['a datagram with another trace id is another packet', [datagram(40_000, 'output'), datagram(1024, 'sent', {traceId: 2})], [40_000, 1024]],
	['a datagram with another identification is another packet', [datagram(40_000, 'output'), datagram(1024, 'sent', {identification: 8})], [40_000, 1024]],
	['two datagrams from one port, whose logs are read after the switch\'s word of both: two packets by their flow labels', [labeled(1), labeled(2), labeledLog(1, 0), labeledLog(2, 1)], [40_000, 40_000]],
	['a datagram that comes in with the trace id of one that was sent is another packet', [datagram(40_000, 'output'), datagram(1024, 'prerouting')], [40_000, 1024]],
	['a trace id that is used again belongs to the datagram that was sent last', [datagram(40_000, 'output'), datagram(40_001, 'output'), datagram(1024, 'sent'), datagram(40_001, 'arrived')], [40_000, 40_001]],
] as const) {
	test(title, t => {
		const lookup: Lookup = {
			ruleByHandle: () => undefined, ruleByNumber: () => undefined, hookOf: () => 'output', interfaceName: () => undefined, traceTable,
		};
		const found = fast(datagrams, lookup);
		t.deepEqual(found, slow(datagrams, lookup));
		t.deepEqual(found.packets.map(({header}) => header.source.port), [...wanted]);
	});
}

test('a message like the one expected, but of another family, is scanned', t => {
	const lookup: Lookup = {
		ruleByHandle: () => undefined, ruleByNumber: () => undefined, hookOf: () => 'output', interfaceName: () => undefined, traceTable,
	};
	const long = (port: number) => ipv4(6, tcp({sourcePort: port, sequence: port}), {options: new Uint8Array(20)});
	const datagrams = [1, 2, 3].map((port, index) => log(port, index, index === 2 ? ipv6(6, tcp({sourcePort: port, sequence: port})) : long(port)));
	t.is(datagrams[2]!.bytes.length, datagrams[1]!.bytes.length);
	const found = fast(datagrams, lookup);
	t.deepEqual(found, slow(datagrams, lookup));
	t.deepEqual(found.packets.map(({traversals}) => traversals[0]!.family), ['ip', 'ip', 'ip6']);
});

test('the arrival of the first attempt is not taken for that of the second, which NFLOG has already shown', t => {
	const trace = new FastTrace({
		ruleByHandle: () => undefined, ruleByNumber: () => undefined, hookOf: () => 'output', interfaceName: () => undefined, traceTable,
	});
	const arrivals = (datagrams: readonly Datagram[]) => {
		const buffer = new Uint8Array(1 << 12);
		for (const {bytes: content} of datagrams) {
			buffer.set(content);
			trace.add(buffer, 0, content.length);
		}

		const rows = trace.peek();
		const found: Array<string | undefined> = [];
		for (let row = 0; row < rows.length; row += rowWords(rows, row)) {
			found.push(arrivalOf(rows, row)?.hook);
		}

		return found;
	};

	t.deepEqual(arrivals([log(40_000, 0), log(40_000, 1), ...overLo]), ['input', undefined]);
	t.deepEqual(arrivals(overLo), ['input', 'input']);
	trace.take();
	t.deepEqual(arrivals([datagram(40_000, 'output'), ...['sent', 'prerouting', 'arrived'].map(chain => datagram(1024, chain))]), ['input']);
});

test('peek shows the packets so far, and later events still belong to them', t => {
	const lookup = lookupOf(names[0]);
	const datagrams = inOrder(readRecording(names[0]).round.recording.datagrams);
	const wanted = slow(datagrams, lookup);
	const trace = new FastTrace(lookup);
	const half = Math.floor(datagrams.length / 2);
	const buffer = new Uint8Array(1 << 17);
	for (const [index, datagram] of datagrams.entries()) {
		if (index === half) {
			t.true(trace.peek().length > 0);
		}

		buffer.set(datagram.bytes);
		trace.add(buffer, 0, datagram.bytes.length);
	}

	const {packets} = trace.take();
	t.is(packets, wanted.packets.length);
	t.is(trace.peek().length, 0);
});

for (const [title, chain, type, handle, isInvalid] of [
	['its rule matched', invalidChains.received, 3, [attribute(3, uint64(9))], true],
	['its rule matched, of what is sent', invalidChains.sent, 3, [attribute(3, uint64(9))], true],
	['the chain ended without it', invalidChains.received, 3, [], undefined],
	['a rule of another chain matched', 'output', 3, [attribute(3, uint64(9))], undefined],
] as const) {
	test(`the chain after conntrack shows what is invalid, as in the reference: ${title}`, t => {
		const lookup: Lookup = {
			ruleByHandle: () => undefined, ruleByNumber: () => undefined, hookOf: () => 'output', interfaceName: () => undefined, traceTable,
		};
		const said = (name: string, rest: readonly Uint8Array[]): Datagram => ({
			stream: 'nft',
			bytes: message((10 << 8) | 17, bytes(
				general(1),
				attribute(1, text(traceTable)),
				attribute(2, text(name)),
				...rest,
				attribute(4, uint32(type)),
				attribute(5, attribute(1, uint32(0xFF_FF_FF_FF))),
				attribute(6, uint32(1)),
				attribute(8, ipv4(6, new Uint8Array())),
				attribute(9, tcp({sequence: 77})),
			)),
		});
		const datagrams = [said('prerouting', [attribute(3, uint64(4))]), said(chain, handle)];
		const found = fast(datagrams, lookup);
		t.deepEqual(found, slow(datagrams, lookup));
		t.deepEqual(found.packets.map(packet => packet.isInvalid), [isInvalid]);
	});
}
