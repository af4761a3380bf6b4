/** The packets of a batch are kept in one array: however many there are, and however many base chains they pass, they are those of the reference. */

import test from 'ava';
import {FastTrace} from '../../../../src/trace/fast/fast-trace.js';
import {rowWords, unpackPacket} from '../../../../src/trace/fast/packed-packet.js';
import {assemblePackets, type Lookup} from '../../../../src/trace/packets.js';
import {decode} from '../../../helpers/recordings.js';
import {
	attribute, bytes, general, ipv4, message, tcp, text, uint32, uint64,
} from '../_bytes.js';

const lookup: Lookup = {
	ruleByHandle: () => undefined, ruleByNumber: () => undefined, hookOf: () => 'output', interfaceName: () => undefined, traceTable: 'testbed-trace',
};

/** A rule of a base chain matched a packet. */
function met(sequence: number, chain: number): Uint8Array {
	return message((10 << 8) | 17, bytes(
		general(1),
		attribute(1, text('table')),
		attribute(2, text(`chain-${chain}`)),
		attribute(3, uint64(9)),
		attribute(4, uint32(3)),
		attribute(5, attribute(1, uint32(0xFF_FF_FF_FF))),
		attribute(6, uint32(sequence)),
		attribute(8, ipv4(6, new Uint8Array())),
		attribute(9, tcp({sequence, sourcePort: 1024 + sequence})),
	));
}

/** What both make of some messages. */
function both(trace: FastTrace, messages: readonly Uint8Array[]) {
	const buffer = new Uint8Array(1 << 12);
	for (const each of messages) {
		buffer.set(each);
		trace.add(buffer, 0, each.length);
	}

	const {rows} = trace.take();
	const shapes = trace.shapes.since(0).map(({traversal}) => traversal);
	const packets = [];
	for (let row = 0; row < rows.length; row += rowWords(rows, row)) {
		packets.push(unpackPacket(rows, row, shapes));
	}

	return {packets, wanted: assemblePackets(messages.flatMap(each => decode({stream: 'nft', bytes: each}).events), lookup).packets};
}

const upTo = (count: number): readonly number[] => Array.from({length: count}, (_, index) => index);

test('a thousand packets, each in two base chains, one of them after all packets have been in the first', t => {
	const {packets, wanted} = both(new FastTrace(lookup), [0, 1].flatMap(chain => upTo(1000).map(sequence => met(sequence, chain))));
	t.is(wanted.length, 1000);
	t.true(wanted.every(({traversals}) => traversals.length === 2));
	t.deepEqual(packets, wanted);
});

test('packets in more and less base chains than there is room for, batch after batch', t => {
	const trace = new FastTrace(lookup);
	for (const counts of [[9, 2, 6], [6, 5, 1], [1, 1, 1], [4, 3, 5]]) {
		const {packets, wanted} = both(trace, counts.flatMap((count, sequence) => upTo(count).map(chain => met(sequence, chain))));
		t.deepEqual(wanted.map(({traversals}) => traversals.length), counts);
		t.deepEqual(packets, wanted);
	}
});
