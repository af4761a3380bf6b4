/** Probes in groups, where the trace's buffer has no room for all of them. */

import test from 'ava';
import {sendInGroups, type Sending} from '../../../../testbed/run/groups.js';
import {packetsIn, roomIn} from '../../../../testbed/tracer/trace-socket.js';

const nothing = (): void => undefined;

const sendingsOf = (ids: string): readonly Sending[] => [...ids].map(id => ({
	id,
	label: id,
	probe: {
		family: 'ipv4', protocol: 'tcp', actor: 'app', destination: {address: '10.0.0.1', port: 80},
	},
}));

for (const [size, highest] of [[undefined, 7], [3, 3], [1, 1], [10, 7]] as const) {
	test(`groups of ${size ?? 'all'}: in order, and never more at once`, async t => {
		let running = 0;
		let most = 0;
		let drained = 0;
		const drain = (): void => {
			t.is(running, 0);
			drained++;
		};

		const results = await sendInGroups(sendingsOf('abcdefg'), {size, drain}, async ({id}, index) => {
			running++;
			most = Math.max(most, running);
			await Promise.resolve();
			running--;
			return `${id}${index}`;
		});
		t.deepEqual(results, ['a0', 'b1', 'c2', 'd3', 'e4', 'f5', 'g6']);
		t.is(most, highest);
		t.is(drained, Math.ceil(7 / highest), 'the trace is read after each group');
	});
}

test('nothing in groups is nothing', async t => {
	t.deepEqual(await sendInGroups([], {size: undefined, drain: nothing}, async () => 1), []);
});

test('the error of one that fails is thrown', async t => {
	await t.throwsAsync(sendInGroups(sendingsOf('a'), {size: undefined, drain: nothing}, async () => {
		throw new RangeError('no such actor');
	}), {instanceOf: RangeError, message: 'no such actor'});
});

test('how many packets have room: as many as asked for, or half of a smaller buffer, but one at least', t => {
	const asked = {askedBytes: 64 << 20, messages: 30};
	t.is(packetsIn(64 << 20, asked), undefined);
	t.is(packetsIn(4 << 20, asked), 34);
	t.is(packetsIn(212_992, asked), 1);
	t.is(packetsIn(1, asked), 1);
	t.is(packetsIn(4 << 20, {...asked, messages: 100}), 10);
	t.is(roomIn(64 << 20, 100), 163);
	t.is(roomIn(4 << 20, 100), 10);
});
