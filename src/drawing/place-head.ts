/**
The heading of a drawing, with a line for each leg, and the legend below the drawing.
*/

import type {Connection} from './connection.js';
import type {Shape} from './layout.js';
import {margin, types} from './sizes.js';
import {textWidth, wrapText, type Type} from './text-measure.js';

type Placed = {readonly shapes: readonly Shape[]; readonly bottom: number};

/** From the left edge of a leg's sample to its text. */
const sampleRoom = 76;

function texts(text: string, {x, y, width, type, look, step}: {readonly x: number; readonly y: number; readonly width: number; readonly type: Type; readonly look: 'ink' | 'soft' | 'alarm'; readonly step: number}): readonly Shape[] {
	return wrapText(text, width, type).map((line, index): Shape => ({
		kind: 'text', look, type, text: line, x, y: y + (index * step), width: textWidth(line, type), anchor: 'start',
	}));
}

/** Title, stops, notes, and the legs with their lines. */
export function placeHead({title, summary, legs, notes}: Connection, drawingWidth: number): Placed {
	const width = drawingWidth - (2 * margin);
	const shapes: Shape[] = [];
	let y = margin + 18;
	const add = (text: string, type: Type, look: 'ink' | 'soft' | 'alarm', step: number): void => {
		const lines = texts(text, {
			x: margin, y, width, type, look, step,
		});
		shapes.push(...lines);
		y += lines.length * step;
	};

	add(title, types.title, 'ink', 24);
	y += 1;
	add(summary, types.summary, 'ink', 19);
	for (const note of notes) {
		add(note, types.body, 'alarm', 17);
	}

	y += 8;
	for (const [leg, {sender, to, end, endName}] of legs.entries()) {
		shapes.push({
			kind: 'sample', leg, x: margin, y: y - 4, width: 62,
		}, {
			kind: 'station', leg, state: 'matched', x: margin + 31, y: y - 4,
		});
		const lines = texts(`${sender.name}${sender.about === null ? '' : ` (${sender.about})`} → ${to}${end.kind === 'accepted' ? `, accepted by ${endName}` : `: ${endName}`}`, {
			x: margin + sampleRoom, y, width: width - sampleRoom, type: types.body, look: 'ink', step: 17,
		});
		shapes.push(...lines);
		y += (lines.length * 17) + 5;
	}

	return {shapes, bottom: y - 10};
}

/** The legend. */
export function placeLegend({legs}: Connection, top: number): Placed {
	const y = top + 8;
	const shapes: Shape[] = [];
	let x = margin + 8;
	const seen = new Set(legs.flatMap(({visits}) => visits.flatMap(({asked, left}) => [...asked.map(({state}) => state), ...(left?.by === 'policy' ? ['end' as const] : [])])));
	const signs = ([['missed', 'tested, did not match'], ['matched', 'matched'], ['decided', 'decided'], ['end', 'end of a chain']] as const).filter(([state]) => seen.has(state));
	if (signs.length === 0) {
		return {shapes, bottom: top - 10};
	}

	for (const [state, text] of signs) {
		shapes.push({
			kind: 'station', leg: 0, state, x, y: y - 4,
		});
		const width = textWidth(text, types.small);
		shapes.push({
			kind: 'text', look: 'soft', type: types.small, text, x: x + 17, y, width, anchor: 'start',
		});
		x += width + 50;
	}

	return {shapes, bottom: y + 4};
}
