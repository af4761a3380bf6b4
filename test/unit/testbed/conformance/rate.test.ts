import test from 'ava';
import {generationRate, readOptionSets} from '../../../../testbed/conformance/rate.js';

test('a rate is a number of sets a second, whatever the values', t => {
	t.is(readOptionSets().length, 196);
	for (const fresh of [false, true]) {
		const rate = generationRate({durationMs: 1, fresh});
		t.true(Number.isFinite(rate) && rate > 0);
	}
});
