import test from 'ava';
import type {Connection} from '../../../src/drawing/connection.js';
import {layOut} from '../../../src/drawing/lay-out.js';
import {drawnUntil, pointsUntil, walkOf} from '../../../src/drawing/walk.js';
import {pictureOfResult} from '../../../src/report/pictures/pictures.js';
import {sketchConnection} from '../../helpers/connections.js';
import {sketchReport} from '../../helpers/reports.js';

const report = sketchReport({input: 'release:1.31', families: ['ipv4', 'ipv6']});
const connections: ReadonlyArray<readonly [title: string, connection: Connection]> = [
	...report.types.flatMap(result => pictureOfResult(result, report.loaded).map(({connection}) => [connection.title, connection] as const)),
	['200 rules that were asked', sketchConnection({rules: 200})],
	['nine legs', sketchConnection({legs: 9, rules: 30})],
	['dropped', sketchConnection({end: 'dropped'})],
	['unknown', sketchConnection({end: 'unknown', legs: 3})],
];

test('the steps are every rule that was tested, in order, and the opening and the end of each leg', t => {
	for (const [title, connection] of connections) {
		const walk = walkOf(connection);
		const asked = connection.legs.flatMap(({visits}) => visits.flatMap(visit => visit.asked));
		t.deepEqual(walk.flatMap(step => step.kind === 'rule' ? [step.asked] : []), asked, title);
		t.is(walk.filter(({kind}) => kind === 'open').length, connection.legs.length, title);
		t.is(walk.filter(({kind}) => kind === 'end').length, connection.legs.length, title);
		t.deepEqual(walk.flatMap(step => step.kind === 'rule' ? step.rewrites : []), connection.legs.flatMap(({visits}) => visits.filter(({asked: own}) => own.some(({state}) => state !== 'missed')).flatMap(({rewrites}) => rewrites)), title);
	}
});

test('step by step the packet follows its line, and later steps stay hidden', t => {
	for (const [title, connection] of connections) {
		for (const isNarrow of [true, false]) {
			const layout = layOut(connection, {isNarrow});
			const walk = walkOf(connection);
			let stations = 0;
			for (const [index, step] of walk.entries()) {
				const name = `${title}, step ${index}`;
				const {layout: drawn, packet} = drawnUntil(layout, walk, index);
				t.not(packet, undefined, name);
				const shown = drawn.shapes.filter(shape => shape.kind === 'station' && shape.row !== undefined);
				t.true(shown.every(shape => shape.kind === 'station' && shape.leg <= step.leg), name);
				t.true(shown.length >= stations, name);
				stations = shown.length;
				t.true(drawn.shapes.every(shape => shape.kind !== 'track' || shape.leg <= step.leg), name);
				const track = drawn.shapes.find(shape => shape.kind === 'track' && shape.leg === step.leg);
				t.deepEqual(track?.kind === 'track' ? [track.points.at(-1)!.x, track.points.at(-1)!.y] : [], [packet!.x, packet!.y], name);
			}

			t.deepEqual(drawnUntil(layout, walk, walk.length - 1).layout.shapes.filter(({kind}) => kind === 'station' || kind === 'track'), layout.shapes.filter(({kind}) => kind === 'station' || kind === 'track'), title);
		}
	}
});

test('the packet is at the row of the rule that is tested', t => {
	const [, connection] = connections[1]!;
	const layout = layOut(connection);
	const walk = walkOf(connection);
	for (const [index, step] of walk.entries()) {
		if (step.kind === 'rule') {
			const {packet} = drawnUntil(layout, walk, index);
			const row = layout.shapes.find(shape => shape.kind === 'block' && shape.number === String(step.asked.number) && Math.abs(shape.y - 4 - packet!.y) < 1);
			t.is(row?.kind === 'block' ? row.lines.join(' ') : undefined, step.asked.text, `step ${index}`);
		}
	}
});

test('a deciding rule is highlighted from its step on', t => {
	const [, connection] = connections[1]!;
	const layout = layOut(connection);
	const walk = walkOf(connection);
	const strong = (index: number): number => drawnUntil(layout, walk, index).layout.shapes.filter(shape => shape.kind === 'block' && shape.isStrong).length;
	const decides = walk.findIndex(step => step.kind === 'rule' && step.asked.state === 'decided');
	t.is(strong(decides - 1), 0);
	t.is(strong(decides), 1);
});

test('the visible line ends at the given point, and at its beginning for a point that is not on it', t => {
	const points = [{x: 0, y: 0}, {x: 0, y: 10}, {x: 20, y: 10}];
	t.deepEqual(pointsUntil(points, {x: 0, y: 5}), [{x: 0, y: 0}, {x: 0, y: 5}]);
	t.deepEqual(pointsUntil(points, {x: 7, y: 10}), [{x: 0, y: 0}, {x: 0, y: 10}, {x: 7, y: 10}]);
	t.deepEqual(pointsUntil(points, {x: 9, y: 9}), [{x: 0, y: 0}]);
});
