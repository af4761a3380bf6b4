/** The capture file, read back by a reader of these tests: blocks, options, padding, times. */

import fc from 'fast-check';
import test from 'ava';
import {printPcapng, type Capture} from '../../../../src/report/pcap/pcapng.js';

type Block = {readonly type: number; readonly body: Uint8Array};

function blocksOf(file: Uint8Array): readonly Block[] {
	const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
	const blocks: Block[] = [];
	let offset = 0;
	while (offset < file.length) {
		const [type, length] = [view.getUint32(offset, true), view.getUint32(offset + 4, true)];
		if (length % 4 !== 0 || view.getUint32(offset + length - 4, true) !== length) {
			throw new Error(`the block at ${offset} has no right length`);
		}

		blocks.push({type, body: file.subarray(offset + 8, offset + length - 4)});
		offset += length;
	}

	return blocks;
}

function optionsOf(body: Uint8Array, start: number): ReadonlyMap<number, Uint8Array> {
	const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
	const options = new Map<number, Uint8Array>();
	let offset = start;
	while (offset < body.length) {
		const [code, length] = [view.getUint16(offset, true), view.getUint16(offset + 2, true)];
		if (code === 0) {
			break;
		}

		options.set(code, body.subarray(offset + 4, offset + 4 + length));
		offset += 4 + (Math.ceil(length / 4) * 4);
	}

	return options;
}

const text = (bytes: Uint8Array | undefined): string | undefined => bytes === undefined ? undefined : new TextDecoder('utf8', {fatal: true}).decode(bytes);

function read(file: Uint8Array): Capture {
	const [section, ...rest] = blocksOf(file);
	const head = optionsOf(section!.body, 16);
	const interfaces = rest.filter(({type}) => type === 1).map(({body}) => {
		const options = optionsOf(body, 8);
		return {name: text(options.get(2))!, description: text(options.get(3))!};
	});
	return {
		comment: text(head.get(1))!,
		program: text(head.get(4))!,
		interfaces,
		packets: rest.filter(({type}) => type === 6).map(({body}) => {
			const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
			const length = view.getUint32(12, true);
			const comment = text(optionsOf(body, 20 + (Math.ceil(length / 4) * 4)).get(1));
			return {
				interface: view.getUint32(0, true),
				time: (BigInt(view.getUint32(4, true)) << 32n) | BigInt(view.getUint32(8, true)),
				bytes: body.slice(20, 20 + length),
				...(comment === undefined ? {} : {comment}),
			};
		}),
	};
}

const words = fc.string({unit: 'grapheme', maxLength: 40});
const captures: fc.Arbitrary<Capture> = fc.record({
	program: words,
	comment: words,
	interfaces: fc.array(fc.record({name: words, description: words}), {minLength: 1, maxLength: 3}),
	packets: fc.array(fc.record({
		interface: fc.nat(2), time: fc.bigInt(0n, (1n << 63n) - 1n), bytes: fc.uint8Array({maxLength: 70}), comment: words,
	}, {requiredKeys: ['interface', 'time', 'bytes']}), {maxLength: 5}),
});

test('law: a written file can be read again', t => {
	fc.assert(fc.property(captures, capture => {
		t.deepEqual(read(printPcapng(capture)), capture);
	}));
	t.pass();
});

test('the file header: little-endian, version 1.0, and nanoseconds', t => {
	const file = printPcapng({
		program: 'p', comment: 'c', interfaces: [{name: 'pod:lo', description: 'd'}], packets: [],
	});
	const [section, link] = blocksOf(file);
	t.deepEqual([...section!.body.subarray(0, 16)], [0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0, ...Array.from({length: 8}, () => 0xFF)]);
	t.deepEqual([...link!.body.subarray(0, 2)], [1, 0], 'Ethernet');
	t.deepEqual([...optionsOf(link!.body, 8).get(9)!], [9]);
});

test('a comment that is too long for an option is cut between characters; half a character becomes a question mark', t => {
	const capture = (comment: string): Capture => ({
		program: '', comment, interfaces: [], packets: [],
	});
	t.is(read(printPcapng(capture('→'.repeat(30_000)))).comment, '→'.repeat(21_845));
	t.is(read(printPcapng(capture(`a${'→'.repeat(30_000)}`))).comment, `a${'→'.repeat(21_844)}`);
	t.is(read(printPcapng(capture('a\u{D83D}b'))).comment, 'a?b');
});
