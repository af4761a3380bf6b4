import test from 'ava';
import fc from 'fast-check';
import {RecentMap} from '../../../../src/trace/fast/recent-map.js';

test('it answers like a map', t => {
	const key = fc.constantFrom<number | string>(0, 1, 2, 'one', 'two');
	const step = fc.oneof(
		fc.record({kind: fc.constant('get' as const), key}),
		fc.record({kind: fc.constant('set' as const), key, value: fc.nat(9)}),
		fc.record({kind: fc.constant('delete' as const), key}),
	);
	fc.assert(fc.property(fc.array(step, {maxLength: 30}), steps => {
		const [map, wanted] = [new RecentMap<number | string, number>(), new Map<number | string, number>()];
		for (const one of steps) {
			if (one.kind === 'set') {
				map.set(one.key, one.value);
				wanted.set(one.key, one.value);
			} else if (one.kind === 'delete') {
				map.delete(one.key);
				wanted.delete(one.key);
			}

			t.is(map.get(one.key), wanted.get(one.key));
		}

		for (const each of [0, 1, 2, 'one', 'two']) {
			t.is(map.get(each), wanted.get(each));
		}
	}));
});
