/**
The path of a packet as single steps, in the kernel's order, and a drawing up to the point that the packet has reached, to show it rule by rule.
*/

import type {Hook} from '../netfilter/types.js';
import type {
	AskedStep, Connection, Rewrite, Visit,
} from './connection.js';
import type {Layout, Point, Shape} from './layout.js';
import {lineHeight} from './sizes.js';

/** One step of a leg. */
export type WalkStep = {readonly leg: number} & (
	/** A socket is opened, and the packet leaves it. */
	| {readonly kind: 'open'}
	/** A rule is tested. */
	| {readonly kind: 'rule'; readonly hook: Hook; readonly table: string; readonly asked: AskedStep; readonly rewrites: readonly Rewrite[]}
	/** A base chain ends without a rule that decided. */
	| {readonly kind: 'policy'; readonly hook: Hook; readonly table: string; readonly chain: string; readonly isEmpty: boolean}
	/** The leg has ended. */
	| {readonly kind: 'end'}
);

/** All steps of all legs. */
export function walkOf({legs}: Pick<Connection, 'legs'>): readonly WalkStep[] {
	return legs.flatMap(({visits}, leg): readonly WalkStep[] => [{kind: 'open', leg}, ...visits.flatMap(visit => stepsOfVisit(visit, leg)), {kind: 'end', leg}]);
}

/** NAT's changes belong to the last rule that matched. */
function stepsOfVisit({hook, table, chain, asked, left, rewrites}: Visit, leg: number): readonly WalkStep[] {
	const last = asked.findLastIndex(({state}) => state !== 'missed');
	return [
		...asked.map((step, index): WalkStep => ({
			kind: 'rule', leg, hook, table, asked: step, rewrites: index === last ? rewrites : [],
		})),
		...(left?.by === 'policy'
			? [{
				kind: 'policy', leg, hook, table, chain, isEmpty: asked.length === 0,
			} satisfies WalkStep]
			: []),
	];
}

type Station = Extract<Shape, {kind: 'station'}>;

/** Where a step is drawn: its index among the stations of its leg. Several consecutive steps can share one if rules are folded. */
function stationOf(layout: Layout, walk: readonly WalkStep[], index: number): Station | undefined {
	const step = walk[index];
	if (step === undefined || step.kind === 'open' || step.kind === 'end') {
		return undefined;
	}

	const stations = layout.shapes.filter((shape): shape is Station => shape.kind === 'station' && shape.leg === step.leg && shape.row !== undefined);
	let place = -1;
	for (const other of walk.slice(0, index + 1)) {
		if (other.leg === step.leg && (other.kind === 'rule' || other.kind === 'policy')) {
			place = placeBehind(stations, place, other);
		}
	}

	return stations[place];
}

/** The station of a step, after that of the previous step. A rule in a fold, or one that two paths of one packet share, keeps the previous station. */
function placeBehind(stations: readonly Station[], before: number, step: WalkStep): number {
	const next = stations.findIndex((station, at) => at > before && isOf(station, step));
	return next === -1 ? Math.max(0, foldBehind(stations, before, step)) : next;
}

function isOf({row}: Station, step: WalkStep): boolean {
	return step.kind === 'rule'
		? row!.chain === step.asked.chain && row!.number === step.asked.number && row!.isFold !== true
		: step.kind === 'policy' && row!.chain === step.chain && row!.number === null && row!.isFold !== true;
}

function foldBehind(stations: readonly Station[], place: number, step: WalkStep): number {
	const next = stations[place + 1];
	return step.kind === 'rule' && next?.row?.isFold === true && next.row.chain === step.asked.chain ? place + 1 : place;
}

/** A drawing at the moment when the packet reaches a step, and where the packet is then. Later parts are not shown: lines end at the packet, and later legs are missing. */
export function drawnUntil(layout: Layout, walk: readonly WalkStep[], index: number): {readonly layout: Layout; readonly packet: Point | undefined} {
	const step = walk[index];
	if (step === undefined) {
		return {layout, packet: undefined};
	}

	const tracks = layout.shapes.filter(shape => shape.kind === 'track');
	const own = tracks.find(({leg}) => leg === step.leg);
	const station = stationOf(layout, walk, index);
	const packet = step.kind === 'open' ? own?.points[0] : (step.kind === 'end' ? own?.points.at(-1) : station);
	const stations = layout.shapes.filter((shape): shape is Station => shape.kind === 'station' && shape.leg === step.leg && shape.row !== undefined);
	const reached = new Set<Shape>(step.kind === 'end' ? stations : (station === undefined ? [] : stations.slice(0, stations.indexOf(station) + 1)));
	const decided = layout.shapes.filter((shape): shape is Station => shape.kind === 'station' && shape.state === 'decided' && (shape.leg < step.leg || reached.has(shape)));
	const isShown = (shape: Shape): boolean => {
		switch (shape.kind) {
			case 'station': {
				return shape.row === undefined || shape.leg < step.leg || reached.has(shape);
			}

			case 'track': {
				return shape.leg <= step.leg;
			}

			case 'heading':
			case 'stop': {
				return shape.leg < step.leg || (shape.leg === step.leg && step.kind === 'end');
			}

			// Everything marked or written in the color of a leg is what a rule did with it, or where it arrived.
			case 'box':
			case 'text': {
				const {leg} = shape;
				return leg === undefined || leg < step.leg || (leg === step.leg && (step.kind === 'end' || decided.some(station => station.leg === leg && isBeside(shape, station))));
			}

			case 'block':
			case 'leader':
			case 'sample': {
				return true;
			}
		}
	};

	const shown = (shape: Shape): Shape => {
		if (shape.kind === 'track' && shape.leg === step.leg && step.kind !== 'end') {
			return {...shape, points: pointsUntil(shape.points, packet ?? shape.points[0]!), isArriving: false};
		}

		// A rule that has not decided yet looks like the others.
		return shape.kind === 'block' && shape.isStrong && !decided.some(({y}) => Math.abs(shape.y - y) < lineHeight / 2) ? {...shape, isStrong: false} : shape;
	};

	return {layout: {...layout, shapes: layout.shapes.filter(shape => isShown(shape)).map(shape => shown(shape))}, packet};
}

/** Whether the mark of a rule, or a text below it that says what it did, belongs to the station's row. */
function isBeside(shape: Extract<Shape, {kind: 'box' | 'text'}>, {y}: Station): boolean {
	return shape.kind === 'box' ? shape.y <= y && y <= shape.y + shape.height : shape.y > y && shape.y - y < 5 * lineHeight;
}

/** A line up to a point on it. */
export function pointsUntil(points: readonly Point[], end: Point): readonly Point[] {
	for (const [index, point] of points.entries()) {
		const next = points[index + 1];
		if (next === undefined) {
			break;
		}

		const isBetween = (value: number, one: number, other: number): boolean => Math.min(one, other) - 0.5 <= value && value <= Math.max(one, other) + 0.5;
		if (isBetween(end.x, point.x, next.x) && isBetween(end.y, point.y, next.y)) {
			return [...points.slice(0, index + 1), {x: end.x, y: end.y}];
		}
	}

	return points.slice(0, 1);
}
