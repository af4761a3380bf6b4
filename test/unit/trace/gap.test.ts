import test from 'ava';
import {mayPass, type Gap, type GapKind} from '../../../src/trace/gap.js';

const gap = (kind: GapKind): Gap => ({kind, message: ''});

test('only gaps from lost or late events may be gone the next time', t => {
	t.true(mayPass([gap('lost-events'), gap('counter-mismatch')]));
	t.false(mayPass([gap('no-end')]), 'it has been sent twice');
	t.false(mayPass([gap('lost-events'), gap('not-understood')]), 'one of them stays');
	t.false(mayPass([]));
});
