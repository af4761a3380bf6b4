/**
Places the sockets of the pod, and the actors outside, in a row each, with the points where legs leave and arrive.
*/

import type {DrawnLeg} from './connection.js';
import type {Shape} from './layout.js';
import {lineHeight, trackStep, types} from './sizes.js';
import type {Stand} from './terminals.js';
import {textWidth, wrapText} from './text-measure.js';

/** A row of actors. Ports are the `x` of each leg at the upper or the lower edge of a box. */
export type PlacedStands = {readonly shapes: readonly Shape[]; readonly bottom: number; readonly portOf: (leg: number) => number; readonly opensAt: (leg: number) => number};

const gap = 18;
const padding = 14;
/** Where the first port is, from the left edge of its box. */
const firstPort = 20;
const widest = 250;

/** The preferred width of an actor's box, and the distance of its ports. */
function needs({terminal: {name, about}, opens, gets}: Stand, legs: readonly DrawnLeg[]): {readonly width: number; readonly getStep: number} {
	const labels = gets.map(leg => textWidth(labelOf(legs[leg]!), types.port) + 30);
	const getStep = Math.max(trackStep, ...(gets.length > 1 ? labels : []));
	const texts = Math.max(textWidth(name, types.stand), about === null ? 0 : textWidth(about, types.small)) + (2 * padding);
	const ports = (2 * firstPort) + Math.max(((gets.length - 1) * getStep) + (labels.at(-1) ?? 30) - 30, (opens.length - 1) * trackStep);
	return {width: Math.max(110, Math.min(texts, widest), ports), getStep};
}

/** The text next to the arrow of a leg that arrives. */
export function labelOf({end}: DrawnLeg): string {
	return end.kind === 'dropped' ? '' : end.label ?? '';
}

/** How much room a row of actors takes. */
export function widthOfStands(stands: readonly Stand[], legs: readonly DrawnLeg[]): number {
	return stands.reduce((sum, stand) => sum + needs(stand, legs).width + gap, 0);
}

/** Places them from `left` and `top` on. */
export function placeStands(stands: readonly Stand[], legs: readonly DrawnLeg[], {left, top}: {readonly left: number; readonly top: number}): PlacedStands {
	const wanted = stands.map(stand => needs(stand, legs));
	const shapes: Shape[] = [];
	const ports = new Map<number, number>();
	const starts = new Map<number, number>();
	const told = stands.map(({terminal: {name, about}}, index) => {
		const width = wanted[index]!.width - (2 * padding);
		return {names: wrapText(name, width, types.stand), abouts: about === null ? [] : wrapText(about, width, types.small)};
	});
	const height = Math.max(0, ...told.map(({names, abouts}) => (names.length + abouts.length) * lineHeight)) + 16;
	let x = left;
	for (const [index, {terminal, opens, gets}] of stands.entries()) {
		const {width, getStep} = wanted[index]!;
		const {names, abouts} = told[index]!;
		const isNobody = gets.length > 0 && gets.every(leg => {
			const {end} = legs[leg]!;
			return end.kind !== 'accepted' && end.kind !== 'dropped' && end.terminal.name === terminal.name;
		});
		shapes.push({
			kind: 'box', look: isNobody ? 'nobody' : 'stand', x, y: top, width, height,
		});
		const lines = [...names.map(text => ({text, type: types.stand, look: isNobody ? 'alarm' as const : 'ink' as const})), ...abouts.map(text => ({text, type: types.small, look: 'soft' as const}))];
		for (const [line, {text, type, look}] of lines.entries()) {
			shapes.push({
				kind: 'text', look, type, text, x: x + padding, y: top + 20 + (line * lineHeight), width: textWidth(text, type), anchor: 'start',
			});
		}

		for (const [place, leg] of gets.entries()) {
			ports.set(leg, x + firstPort + (place * getStep));
		}

		for (const [place, leg] of opens.entries()) {
			starts.set(leg, x + firstPort + (place * trackStep));
		}

		x += width + gap;
	}

	return {
		shapes, bottom: stands.length === 0 ? top : top + height, portOf: leg => ports.get(leg)!, opensAt: leg => starts.get(leg)!,
	};
}
