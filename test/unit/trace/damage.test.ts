/**
The law of the decoders: a datagram that is cut or changed only ever fails with a framing error, never causes an endless loop, and what is cut off never becomes another event.
*/

import test from 'ava';
import fc from 'fast-check';
import type {Decoded, TraceEvent} from '../../../src/trace/decode/event.js';
import {NetlinkFormatError} from '../../../src/trace/decode/netlink.js';
import {decode, readRecording, recordingNames} from '../../helpers/recordings.js';
import {bytes} from './_bytes.js';

type Datagram = Parameters<typeof decode>[0];

const all: readonly Datagram[] = recordingNames.flatMap(name => readRecording(name).round.recording.datagrams);
const datagram = fc.constantFrom(...all);

/** Undefined when the framing was refused. Any other error goes through and fails the test. */
function tryDecode(candidate: Datagram): Decoded | undefined {
	try {
		return decode(candidate);
	} catch (error) {
		if (error instanceof NetlinkFormatError) {
			return undefined;
		}

		throw error;
	}
}

test('every recorded datagram is understood, and is one message', t => {
	for (const candidate of all) {
		const {events, notUnderstood} = decode(candidate);
		t.is(events.length, 1);
		t.deepEqual(notUnderstood, []);
	}
});

test('every prefix of every recorded datagram is refused, or has no events', t => {
	for (const {stream, bytes: whole} of all) {
		for (let length = 0; length < whole.length; length++) {
			const decoded = tryDecode({stream, bytes: whole.subarray(0, length)});
			if (decoded !== undefined && (length > 0 || decoded.events.length > 0)) {
				t.fail(`${length} of ${whole.length} bytes of a datagram of ${stream} were read`);
			}
		}
	}

	t.true(all.length > 0);
});

/** The first bytes of a message, with a header that says so. */
function reframed({stream, bytes: whole}: Datagram, length: number): Datagram {
	const interval = whole.slice(0, length);
	new DataView(interval.buffer).setUint32(0, length, true);
	return {stream, bytes: interval};
}

/** What an event says of the path. */
function saying(event: TraceEvent): readonly unknown[] {
	const {kind, family, table, chain} = event;
	return [kind, family, table, chain, ...(event.source === 'nft' ? [event.handle, event.verdict, event.target, event.traceId] : [event.number, event.hook, event.packet])];
}

test('a message that ends early, including its header, means the same or is not understood', t => {
	fc.assert(fc.property(datagram, fc.double({min: 0, max: 1, noNaN: true}), (candidate, share) => {
		const decoded = tryDecode(reframed(candidate, 16 + Math.floor(share * (candidate.bytes.length - 16))));
		if (decoded === undefined) {
			return true;
		}

		const [event] = decoded.events;
		return event === undefined
			? decoded.notUnderstood.length === 1
			: JSON.stringify(saying(event)) === JSON.stringify(saying(decode(candidate).events[0]!));
	}), {numRuns: 5000});
	t.pass();
});

test('bytes that are changed at random give events, or something not understood, or a refusal', t => {
	fc.assert(fc.property(datagram, fc.array(fc.tuple(fc.nat(), fc.integer({min: 0, max: 255})), {minLength: 1, maxLength: 8}), ({stream, bytes: whole}, changes) => {
		const changed = Uint8Array.from(whole);
		for (const [place, value] of changes) {
			changed[place % changed.length] = value;
		}

		const decoded = tryDecode({stream, bytes: changed});
		return decoded === undefined || decoded.events.length + decoded.notUnderstood.length <= changed.length / 16;
	}), {numRuns: 5000});
	t.pass();
});

test('so do any bytes at all', t => {
	fc.assert(fc.property(fc.constantFrom('nft', 'nflog'), fc.uint8Array({maxLength: 400}), (stream, content) => {
		tryDecode({stream, bytes: content});
	}), {numRuns: 2000});
	t.pass();
});

test('several datagrams in one give the sum of their messages', t => {
	fc.assert(fc.property(fc.constantFrom('nft', 'nflog'), fc.array(datagram, {maxLength: 5}), (stream, candidates) => {
		const some = candidates.filter(candidate => candidate.stream === stream);
		const {events} = decode({stream, bytes: bytes(...some.map(candidate => candidate.bytes))});
		return JSON.stringify(events) === JSON.stringify(some.flatMap(candidate => decode(candidate).events));
	}));
	t.pass();
});
