import test from 'ava';
import {lostInSequence} from '../../../src/trace/lost-messages.js';
import {logEvent, nftEvent} from './_events.js';

const rows: ReadonlyArray<{readonly title: string; readonly sequences: ReadonlyArray<number | undefined>; readonly message: string | undefined}> = [
	{title: 'no events', sequences: [], message: undefined},
	{title: 'all of them', sequences: [0, 1, 2], message: undefined},
	{title: 'the first is missing', sequences: [1, 2], message: '1 NFLOG messages are missing.'},
	{title: 'holes', sequences: [2, 3, 7], message: '5 NFLOG messages are missing.'},
	{title: 'one event without a number', sequences: [0, undefined, 2], message: 'NFLOG sent events without a sequence number, so losses would not show.'},
	{title: 'a number twice', sequences: [0, 1, 1], message: 'NFLOG messages came out of order, so their numbers do not show losses.'},
	{title: 'a number twice that would hide a hole', sequences: [0, 0, 2], message: 'NFLOG messages came out of order, so their numbers do not show losses.'},
	{title: 'out of order', sequences: [1, 0, 2], message: 'NFLOG messages came out of order, so their numbers do not show losses.'},
];

for (const {title, sequences, message} of rows) {
	test(`sequence numbers of NFLOG: ${title}`, t => {
		const events = sequences.flatMap(sequence => [nftEvent({}), logEvent({sequence})]);
		t.deepEqual(lostInSequence(events), message === undefined ? [] : [{kind: 'lost-events', message}]);
	});
}
