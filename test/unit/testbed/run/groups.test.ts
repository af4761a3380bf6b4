/** Probes in groups, where the trace's buffer has no room for all of them. */

import test from 'ava';
import {inGroups} from '../../../../testbed/run/round.js';
import {packetsIn} from '../../../../testbed/tracer/trace-socket.js';

for (const [size, highest] of [[undefined, 7], [3, 3], [1, 1], [10, 7]] as const) {
	test(`groups of ${size ?? 'all'}: in order, and never more at once`, async t => {
		let running = 0;
		let most = 0;
		const results = await inGroups([...'abcdefg'], size, async (item, index) => {
			running++;
			most = Math.max(most, running);
			await Promise.resolve();
			running--;
			return `${item}${index}`;
		});
		t.deepEqual(results, ['a0', 'b1', 'c2', 'd3', 'e4', 'f5', 'g6']);
		t.is(most, highest);
	});
}

test('nothing in groups is nothing', async t => {
	t.deepEqual(await inGroups([], undefined, async () => 1), []);
});

test('how many packets have room: as many as asked for, or half of a smaller buffer, but one at least', t => {
	const asked = {askedBytes: 64 << 20, messages: 30};
	t.is(packetsIn(64 << 20, asked), undefined);
	t.is(packetsIn(4 << 20, asked), 34);
	t.is(packetsIn(212_992, asked), 1);
	t.is(packetsIn(1, asked), 1);
	t.is(packetsIn(4 << 20, {...asked, messages: 100}), 10);
});
