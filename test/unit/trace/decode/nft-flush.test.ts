/** The request that empties a set, in the form that `nft --debug=mnl flush set` shows, and with a confirmation. */

import test from 'ava';
import {parseMessages} from '../../../../src/trace/decode/netlink.js';
import {flushRequest} from '../../../../src/trace/decode/nft-flush.js';

test('a batch with one change, which the kernel confirms', t => {
	const bytes = flushRequest({table: 'one-table', sets: ['its-set']});
	const messages = parseMessages(bytes);
	t.deepEqual(messages.map(({type}) => type), [16, (10 << 8) | 14, 17]);
	const hex = (from: number, length: number): string => [...bytes.subarray(from, from + length)].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
	t.is(hex(0, 20), '14 00 00 00 10 00 01 00 00 00 00 00 00 00 00 00 00 00 00 0a');
	t.is(hex(20, 20), '30 00 00 00 0e 0a 05 00 00 00 00 00 00 00 00 00 01 00 00 00');
	t.is(hex(40, 16), '0e 00 01 00 6f 6e 65 2d 74 61 62 6c 65 00 00 00');
	t.is(hex(56, 12), '0c 00 02 00 69 74 73 2d 73 65 74 00');
	t.is(hex(68, 20), '14 00 00 00 11 00 01 00 00 00 00 00 00 00 00 00 00 00 00 0a');
	t.is(bytes.length, 88);
});

test('several sets are one batch, of which the last change is confirmed', t => {
	const bytes = flushRequest({table: 'one-table', sets: ['first', 'second']});
	t.deepEqual(parseMessages(bytes).map(({type}) => type), [16, (10 << 8) | 14, (10 << 8) | 14, 17]);
	// NLM_F_REQUEST, and NLM_F_REQUEST | NLM_F_ACK.
	t.deepEqual([bytes[20 + 6], bytes[20 + 48 + 6]], [1, 5]);
});
