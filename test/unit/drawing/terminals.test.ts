import test from 'ava';
import {planTerminals} from '../../../src/drawing/terminals.js';
import {pictureOfResult} from '../../../src/report/pictures/pictures.js';
import {sketchConnection} from '../../helpers/connections.js';
import {sketchReport, typeOf} from '../../helpers/reports.js';

const report = sketchReport({ids: ['1', '2', '3', '4', '5', '6', '4b']});

for (const [id, stands, crossings] of [
	['1', ['above remote', 'sockets app', 'sockets proxy'], 0],
	['2', ['sockets app', 'sockets proxy', 'below remote'], 0],
	['3', ['above prometheus', 'sockets proxy'], 0],
	['4b', ['sockets app'], 0],
	['6', ['sockets agent', 'below istiod'], 0],
] as const) {
	test(`type ${id}: the order of the actors`, t => {
		const plan = planTerminals(pictureOfResult(typeOf(report, id), report.loaded)[0]!.connection);
		t.deepEqual(plan.stands.map(({zone, terminal: {name}}) => `${zone} ${name}`), stands);
		t.is(plan.crossings, crossings);
	});
}

test('a dropped packet arrives nowhere, and does not come back', t => {
	const {routes, stands} = planTerminals(sketchConnection({legs: 1, end: 'dropped'}));
	t.deepEqual(routes, [{
		leg: 0, from: 'sockets', passesLower: true, passesUpper: false, wraps: false, to: 'rule',
	}]);
	t.deepEqual(stands.map(({terminal: {name}}) => name), ['app']);
});

test('an order with crossing lines is chosen only if no other one is better', t => {
	// Leg 3 of type 4 comes back to the app, whose own leg went out first: two lines cross in any order.
	t.is(planTerminals(pictureOfResult(typeOf(report, '4'), report.loaded)[0]!.connection).crossings, 1);
	for (const legs of [2, 3, 4, 5, 6]) {
		t.true(planTerminals(sketchConnection({legs})).crossings <= (legs * (legs - 1)) / 2);
	}
});
