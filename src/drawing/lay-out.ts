/**
Lays out a connection, from top to bottom: the actors outside, the hooks before the sockets, the sockets of the pod, the hooks after them, and the actors outside again. A leg is a line that goes down through all of these; traffic that comes back to the pod through the loopback device goes up at the side.

It uses no layout library. elkjs (1.4 MB) and dagre place the boxes of a graph freely and route edges between them; this is a listing whose order matters, with lines that must stay within it. The only choice left is the order of the actors, for which all orders are tried.
*/

import type {Connection} from './connection.js';
import {wordsOf, type Layout, type Point, type Shape} from './layout.js';
import {hookOrder, mergeLegs, type Panel} from './merge.js';
import {placeHead, placeLegend} from './place-head.js';
import {placePanels} from './place-panels.js';
import {
	labelOf, placeStands, widthOfStands, type PlacedStands,
} from './place-stands.js';
import {
	drawingWidth, sideStep, margin, narrowWidth, trackStep, types,
} from './sizes.js';
import {planTerminals, type Plan, type Route} from './terminals.js';
import {textWidth} from './text-measure.js';

/** Hooks that a packet passes before it reaches a socket. */
const before: ReadonlySet<string> = new Set(hookOrder.slice(0, 2));

/** Room for the name of a zone, at its right edge. */
const zoneNameWidth = 130;

/** Layout options. */
export type LayoutOptions = {
	/** For two drawings side by side: narrower, and without the purposes of the rules. */
	readonly isNarrow?: boolean;
};

/** Lays out a connection. The same connection always gets the same layout. */
export function layOut(connection: Connection, {isNarrow = false}: LayoutOptions = {}): Layout {
	const width = isNarrow ? narrowWidth : drawingWidth;
	if (connection.legs.length === 0) {
		const head = placeHead(connection, width);
		return {
			...wordsOf(connection), width, height: head.bottom + margin, shapes: head.shapes,
		};
	}

	const body = new Body(connection, {width, hasPurposes: !isNarrow});
	const head = placeHead(connection, body.width);
	const {shapes, bottom} = body.place(head.bottom + 10);
	const legend = placeLegend(connection, bottom + 20);
	return {
		...wordsOf(connection), width: body.width, height: legend.bottom + margin - 6, shapes: [...head.shapes, ...shapes, ...legend.shapes],
	};
}

/** The positions of adjacent lines: the first one is nearest to `at`. */
type Fan = (leg: number) => number;

class Body {
	/** Wider than requested if the actors there need it. */
	readonly width: number;
	readonly #connection: Connection;
	readonly #plan: Plan;
	readonly #panels: readonly Panel[];
	/** Left edge of the hooks; lines next to it lead up. */
	readonly #left: number;
	readonly #right: number;
	readonly #hasPurposes: boolean;
	readonly #chains: number;
	readonly #shapes: Shape[] = [];
	readonly #over: Shape[] = [];

	constructor(connection: Connection, {width, hasPurposes}: {readonly width: number; readonly hasPurposes: boolean}) {
		this.#connection = connection;
		this.#plan = planTerminals(connection);
		this.#panels = mergeLegs(connection);
		this.#hasPurposes = hasPurposes;
		const wraps = this.#wrapping.length;
		this.#left = margin + (wraps === 0 ? 0 : (wraps * sideStep) + 8);
		this.#chains = this.#left + 20 + (Math.max(1, this.#plan.upper.length, this.#plan.lower.length) * trackStep);
		const zones = (['above', 'sockets', 'below'] as const).map(zone => widthOfStands(this.#plan.stands.filter(stand => stand.zone === zone), connection.legs));
		this.#right = Math.max(width - margin, this.#chains + Math.max(...zones) + zoneNameWidth);
		this.width = this.#right + margin;
	}

	place(top: number): {readonly shapes: readonly Shape[]; readonly bottom: number} {
		const {routes, upper, lower} = this.#plan;
		const upperTrack = this.#trackIn(upper);
		const lowerTrack = this.#trackIn(lower);
		const frame = {
			left: this.#left, right: this.#right, chains: this.#chains, hasPurposes: this.#hasPurposes,
		};
		const panelsBefore = this.#panels.filter(({hook}) => before.has(hook));
		const panelsBehind = this.#panels.filter(({hook}) => !before.has(hook));
		const hasUpper = panelsBefore.length > 0;

		// Actors outside that send.
		const above = this.#stands('above', top);
		const senders = upper.filter(leg => routes[leg]!.from === 'above');
		const aboveFan: Fan = leg => above.bottom + 12 + (senders.indexOf(leg) * sideStep);
		let y = above.bottom + (senders.length === 0 ? 0 : 12 + (senders.length * sideStep));

		// Traffic that comes back, above the hooks before the sockets.
		const back = upper.filter(leg => routes[leg]!.wraps);
		const backTop = y + 4;
		const backFan: Fan = leg => backTop + ((back.length - 1 - back.indexOf(leg)) * sideStep);
		y = hasUpper ? (back.length === 0 ? y : backTop + (back.length * sideStep)) : y;
		const placedBefore = placePanels(panelsBefore, y, {...frame, trackOf: upperTrack});
		y = placedBefore.bottom;

		// The sockets.
		const arriving = upper.filter(leg => routes[leg]!.to === 'sockets');
		const zoneTop = y + (hasUpper ? 10 : 4);
		const arrivalTop = zoneTop + 16;
		const arrivalFan: Fan = leg => arrivalTop + ((arriving.length - 1 - arriving.indexOf(leg)) * sideStep);
		const socketsTop = arriving.length === 0 ? zoneTop + 14 : arrivalTop + ((arriving.length - 1) * sideStep) + 30;
		const sockets = this.#stands('sockets', socketsTop);
		const starting = lower;
		const startFan: Fan = leg => sockets.bottom + 14 + (starting.indexOf(leg) * sideStep);
		const hasSockets = sockets.shapes.length > 0;
		const zoneBottom = hasSockets || starting.length > 0 ? sockets.bottom + (starting.length === 0 ? 14 : 16 + (starting.length * sideStep)) : y;
		if (hasSockets) {
			this.#shapes.unshift({
				kind: 'box', look: 'zone', x: this.#left, y: zoneTop, width: this.#right - this.#left, height: zoneBottom - zoneTop,
			});
			this.#zoneName('the pod’s sockets', zoneTop + 19);
		}

		const placedBehind = placePanels(panelsBehind, zoneBottom + (panelsBehind.length === 0 ? 0 : 10), {...frame, trackOf: lowerTrack});
		y = Math.max(zoneBottom, placedBehind.bottom);

		// Traffic that comes back turns here.
		const wrapping = this.#wrapping;
		const wrapTop = y + 12;
		const wrapFan: Fan = leg => wrapTop + (wrapping.indexOf(leg) * sideStep);
		const wrapSide: Fan = leg => this.#left - 10 - (wrapping.indexOf(leg) * sideStep);
		if (wrapping.length > 0) {
			y = wrapTop + ((wrapping.length - 1) * sideStep) + 8;
			const text = 'back in through lo';
			this.#shapes.push({
				kind: 'text', look: 'soft', type: types.small, text, x: this.#chains, y: wrapTop + 4, width: textWidth(text, types.small), anchor: 'start',
			});
		}

		// Actors outside that receive.
		const leaving = lower.filter(leg => routes[leg]!.to === 'below');
		const leaveTop = y + 12;
		const leaveFan: Fan = leg => leaveTop + ((leaving.length - 1 - leaving.indexOf(leg)) * sideStep);
		const below = this.#stands('below', leaving.length === 0 ? y : leaveTop + ((leaving.length - 1) * sideStep) + 28);
		y = leaving.length === 0 ? y : below.bottom;

		const points = (route: Route): readonly Point[] => {
			const {leg, from, wraps, passesLower, passesUpper, to} = route;
			const end = (lasts: ReadonlyMap<number, number>, fallback: number): number => lasts.get(leg) ?? fallback;
			const list: Point[] = from === 'above'
				? [{x: above.opensAt(leg), y: above.bottom}, {x: above.opensAt(leg), y: aboveFan(leg)}, {x: upperTrack(leg), y: aboveFan(leg)}]
				: [{x: sockets.opensAt(leg), y: sockets.bottom}, {x: sockets.opensAt(leg), y: startFan(leg)}, {x: lowerTrack(leg), y: startFan(leg)}];
			if (from === 'above' && passesLower) {
				list.push({x: upperTrack(leg), y: startFan(leg)}, {x: lowerTrack(leg), y: startFan(leg)});
			}

			if (wraps) {
				list.push(
					{x: lowerTrack(leg), y: wrapFan(leg)},
					{x: wrapSide(leg), y: wrapFan(leg)},
					...(hasUpper ? [{x: wrapSide(leg), y: backFan(leg)}, {x: upperTrack(leg), y: backFan(leg)}] : [{x: wrapSide(leg), y: arrivalFan(leg)}]),
				);
			}

			switch (to) {
				case 'sockets': {
					const port = sockets.portOf(leg);
					list.push(...(wraps && !hasUpper ? [] : [{x: upperTrack(leg), y: arrivalFan(leg)}]), {x: port, y: arrivalFan(leg)}, {x: port, y: socketsTop});
					break;
				}

				case 'below': {
					const port = below.portOf(leg);
					list.push({x: lowerTrack(leg), y: leaveFan(leg)}, {x: port, y: leaveFan(leg)}, {x: port, y: below.bottom - heightOf(below)});
					break;
				}

				case 'rule': {
					const isAbove = wraps || (passesUpper && !passesLower);
					list.push(isAbove
						? {x: upperTrack(leg), y: end(placedBefore.lastOf, zoneTop - 24) + 20}
						: {x: lowerTrack(leg), y: end(placedBehind.lastOf, placedBehind.bottom - 20) + 20});
					break;
				}
			}

			return list;
		};

		const tracks = routes.map((route): Shape => ({
			kind: 'track', leg: route.leg, points: points(route), isArriving: route.to !== 'rule', hasCasing: this.#plan.crossings > 0,
		}));
		const stops = tracks.flatMap((track): readonly Shape[] => track.kind === 'track' && !track.isArriving ? [{kind: 'stop', leg: track.leg, ...track.points.at(-1)!}] : []);
		const headings = wrapping.map((leg): Shape => ({
			kind: 'heading', leg, x: wrapSide(leg), y: (wrapFan(leg) + (hasUpper ? backFan(leg) : arrivalFan(leg))) / 2, direction: 'up',
		}));
		this.#labels(arriving, sockets, socketsTop);
		this.#labels(leaving, below, below.bottom - heightOf(below));
		return {
			shapes: [...this.#shapes, ...placedBefore.shapes, ...placedBehind.shapes, ...tracks, ...headings, ...placedBefore.stations, ...placedBehind.stations, ...stops, ...this.#over],
			bottom: y,
		};

		function heightOf({shapes}: PlacedStands): number {
			const [first] = shapes;
			return first?.kind === 'box' ? first.height : 0;
		}
	}

	/** Legs that come back, from left to right after the sockets. */
	get #wrapping(): readonly number[] {
		return this.#plan.lower.filter(leg => this.#plan.routes[leg]!.wraps);
	}

	#trackIn(order: readonly number[]): (leg: number) => number {
		return leg => this.#left + 22 + (order.indexOf(leg) * trackStep);
	}

	#stands(zone: 'above' | 'sockets' | 'below', top: number): PlacedStands {
		const stands = this.#plan.stands.filter(stand => stand.zone === zone);
		const placed = placeStands(stands, this.#connection.legs, {left: this.#chains, top});
		this.#shapes.push(...placed.shapes);
		if (zone !== 'sockets' && stands.length > 0) {
			this.#zoneName('outside the pod', top + 19);
		}

		return placed;
	}

	#zoneName(text: string, y: number): void {
		this.#shapes.push({
			kind: 'text', look: 'soft', type: types.small, text, x: this.#right - 14, y, width: textWidth(text, types.small), anchor: 'end',
		});
	}

	/** What each arrow leads to, next to its head. */
	#labels(arriving: readonly number[], {portOf}: PlacedStands, top: number): void {
		for (const leg of arriving) {
			const text = labelOf(this.#connection.legs[leg]!);
			if (text !== '') {
				this.#over.push({
					kind: 'text', look: 'leg', leg, type: types.port, text, x: portOf(leg) + 9, y: top - 7, width: textWidth(text, types.port), anchor: 'start',
				});
			}
		}
	}
}

