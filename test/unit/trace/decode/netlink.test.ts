import test from 'ava';
import {
	NetlinkFormatError, parseAttributes, parseMessages, stringOf,
} from '../../../../src/trace/decode/netlink.js';
import {
	attribute, bytes, message, text, uint32, view,
} from '../_bytes.js';

test('a datagram holds messages, each at a multiple of four', t => {
	const messages = parseMessages(bytes(message(5, bytes(1, 2, 3)), 0, message(6, bytes(), {flags: 2})));
	t.deepEqual(messages.map(({type, flags, body}) => ({type, flags, length: body.byteLength})), [
		{type: 5, flags: 0, length: 3},
		{type: 6, flags: 2, length: 0},
	]);
	t.deepEqual(parseMessages(bytes()), []);
});

test('a message that is part of a larger buffer is read in place', t => {
	const whole = bytes(9, 9, message(5, bytes(1, 2, 3, 4)));
	t.is(parseMessages(whole.subarray(2))[0]!.body.getUint8(3), 4);
});

const brokenMessages: ReadonlyArray<{readonly title: string; readonly datagram: Uint8Array; readonly error: RegExp}> = [
	{title: 'fewer bytes than a header', datagram: bytes(16, 0, 0, 0), error: /at byte 0 claims 0 bytes of 4/u},
	{title: 'a length below the header\'s', datagram: message(5, bytes(), {length: 15}), error: /claims 15 bytes of 16/u},
	{title: 'a length of nothing, which would never end', datagram: message(5, bytes(), {length: 0}), error: /claims 0 bytes of 16/u},
	{title: 'a length beyond the end', datagram: message(5, bytes(), {length: 17}), error: /claims 17 bytes of 16/u},
	{title: 'the largest length there is', datagram: message(5, bytes(), {length: 0xFF_FF_FF_FF}), error: /claims 4294967295 bytes of 16/u},
	{title: 'a second message that is cut', datagram: bytes(message(5, bytes()), 1, 2, 3), error: /at byte 16 claims 0 bytes of 3/u},
];

for (const {title, datagram, error} of brokenMessages) {
	test(`broken framing of messages: ${title}`, t => {
		t.throws(() => parseMessages(datagram), {instanceOf: NetlinkFormatError, message: error});
	});
}

test('attributes by their type, without the flags for nesting and byte order', t => {
	const attributes = parseAttributes(view(bytes(attribute(1, bytes(7)), attribute(0x80_00 | 2, uint32(8)), attribute(0x40_00 | 3, bytes()))));
	t.deepEqual([...attributes].map(([type, {byteLength}]) => [type, byteLength]), [[1, 1], [2, 4], [3, 0]]);
	t.is(attributes.get(2)!.getUint32(0), 8);
});

test('an attribute that comes twice keeps its last value, as in the kernel', t => {
	const attributes = parseAttributes(view(bytes(attribute(1, uint32(1)), attribute(2, uint32(2)), attribute(1, uint32(3)))));
	t.is(attributes.size, 2);
	t.is(attributes.get(1)!.getUint32(0), 3);
});

test('attributes begin after a header, and too few bytes for another one are padding', t => {
	t.deepEqual([...parseAttributes(view(bytes(9, 9, 9, 9, attribute(1, bytes(7)), 0, 0, 0)), 4).keys()], [1]);
	t.is(parseAttributes(view(bytes())).size, 0);
});

const brokenAttributes: ReadonlyArray<{readonly title: string; readonly body: Uint8Array; readonly error: RegExp}> = [
	{title: 'a length below the header\'s', body: attribute(1, bytes(), {length: 3}), error: /at byte 0 claims 3 bytes of 4/u},
	{title: 'a length of nothing, which would never end', body: attribute(1, bytes(), {length: 0}), error: /claims 0 bytes of 4/u},
	{title: 'a length beyond the end', body: attribute(1, uint32(1), {length: 9}), error: /claims 9 bytes of 8/u},
	{title: 'a second one beyond the end', body: bytes(attribute(1, uint32(1)), attribute(2, bytes(), {length: 5})), error: /at byte 8 claims 5 bytes of 4/u},
];

for (const {title, body, error} of brokenAttributes) {
	test(`broken framing of attributes: ${title}`, t => {
		t.throws(() => parseAttributes(view(body)), {instanceOf: NetlinkFormatError, message: error});
	});
}

test('a string ends at its NUL, or at the end of the attribute', t => {
	t.is(stringOf(view(text('nat'))), 'nat');
	t.is(stringOf(view(bytes(0x6E, 0x61, 0x74))), 'nat');
	t.is(stringOf(view(bytes(0x6E, 0, 0x74))), 'n');
	t.is(stringOf(view(bytes())), '');
});
