/**
Places hooks, chains and rules from top to bottom, and the stations of each leg.
*/

import type {Hook} from '../netfilter/types.js';
import type {AskedState} from './connection.js';
import type {Shape, StationRow, TextLook} from './layout.js';
import type {ChainBox, Panel, Row} from './merge.js';
import {
	indent, lineHeight, numberWidth, purposeWidth, types,
} from './sizes.js';
import {textWidth, wrapText, type Type} from './text-measure.js';

/** Where the listing is, and the track of each leg in this half of the drawing. */
export type Frame = {
	readonly left: number;
	readonly right: number;
	/** Where the chains begin, right of all tracks. */
	readonly chains: number;
	readonly trackOf: (leg: number) => number;
	readonly hasPurposes: boolean;
};

/** Placed panels. `shapes` are below the tracks, `stations` above them. */
export type PlacedPanels = {
	readonly shapes: readonly Shape[];
	readonly stations: readonly Shape[];
	readonly bottom: number;
	/** The last station of each leg. */
	readonly lastOf: ReadonlyMap<number, number>;
};

/** What passes a hook. */
const hookWords: Readonly<Record<Hook, string>> = {
	prerouting: 'every packet that arrives',
	input: 'packets for a socket here',
	forward: 'packets forwarded to another host',
	output: 'packets from a socket here',
	postrouting: 'every packet that leaves',
};

/** Between hooks, and between the chains of one. */
const gap = 10;
const panelHead = 32;
const chainHead = 26;
const rowPadding = 4;

/** Places hooks below each other from `top` on. */
export function placePanels(panels: readonly Panel[], top: number, frame: Frame): PlacedPanels {
	const pen = new Pen(frame);
	let y = top;
	for (const panel of panels) {
		y = pen.panel(panel, y) + gap;
	}

	return {
		shapes: pen.shapes, stations: pen.stations, bottom: panels.length === 0 ? top : y - gap, lastOf: pen.lastOf,
	};
}

/** The position of a row, and its chain. */
type RowPlace = {readonly y: number; readonly x: number; readonly right: number; readonly depth: number; readonly chain: string};

class Pen {
	readonly shapes: Shape[] = [];
	readonly stations: Shape[] = [];
	readonly lastOf = new Map<number, number>();
	readonly #frame: Frame;

	constructor(frame: Frame) {
		this.#frame = frame;
	}

	panel({hook, chains}: Panel, top: number): number {
		const {left, right, chains: x} = this.#frame;
		const place = this.shapes.length;
		this.#text(hook.toUpperCase(), {x, y: top + 21, type: types.panel, look: 'ink', spaced: true});
		const words = hookWords[hook];
		const width = textWidth(words, types.small);
		this.#text(words, {
			x: right - 14, y: top + 21, type: types.small, look: 'soft', anchor: 'end', width,
		});
		let y = top + panelHead;
		for (const chain of chains) {
			y = this.#chain(chain, {y, depth: 0}) + gap;
		}

		this.shapes.splice(place, 0, {
			kind: 'box', look: 'panel', x: left, y: top, width: right - left, height: y - top + 2,
		});
		return y + 2;
	}

	#chain({table, name, isBase, rows}: ChainBox, {y: top, depth}: {readonly y: number; readonly depth: number}): number {
		const x = this.#frame.chains + (depth * indent);
		const right = this.#frame.right - 12 - (depth * 6);
		const place = this.shapes.length;
		const aside = isBase ? `table ${table}` : '';
		const asideWidth = isBase ? Math.min(textWidth(aside, types.small), 240) : 0;
		const lines = wrapText(name, right - x - 32 - asideWidth, types.chain);
		const asides = wrapText(aside, 240, types.small);
		for (const [index, line] of lines.entries()) {
			this.#text(line, {x: x + 12, y: top + 17 + (index * lineHeight), type: types.chain, look: 'ink'});
		}

		for (const [index, line] of asides.entries()) {
			this.#text(line, {
				x: right - 10, y: top + 17 + (index * lineHeight), type: types.small, look: 'soft', anchor: 'end',
			});
		}

		const [only] = rows;
		if (rows.length === 1 && only?.kind === 'policy') {
			const nameEnd = x + 12 + Math.max(...lines.map(line => textWidth(line, types.chain)));
			return this.#emptyChain(only, {
				name, place, x, right, top, nameEnd, lineCount: Math.max(lines.length, asides.length),
			});
		}

		let y = top + chainHead + ((Math.max(lines.length, asides.length) - 1) * lineHeight);
		for (const row of rows) {
			y = this.#row(row, {
				y, x, right, depth, chain: name,
			});
		}

		this.shapes.splice(place, 0, {
			kind: 'box', look: depth === 0 ? 'base' : 'chain', x, y: top, width: right - x, height: y - top + 4,
		});
		return y + 4;
	}

	/** A chain without rules takes one line. */
	#emptyChain({text, meetings}: Extract<Row, {kind: 'policy'}>, {name, place, x, right, top, nameEnd, lineCount}: {readonly name: string; readonly place: number; readonly x: number; readonly right: number; readonly top: number; readonly nameEnd: number; readonly lineCount: number}): number {
		const height = chainHead + ((lineCount - 1) * lineHeight);
		this.shapes.splice(place, 0, {
			kind: 'box', look: 'base', x, y: top, width: right - x, height,
		});
		this.#meet(meetings.map(({leg}) => ({leg, state: 'end' as const})), {y: top + 1.5, x}, {chain: name, number: null});
		this.#text(text, {x: nameEnd + 16, y: top + 17, type: types.small, look: 'soft'});
		return top + height;
	}

	#row(row: Row, place: RowPlace): number {
		const {y, x, right, chain} = place;
		switch (row.kind) {
			case 'fold': {
				const words = `… ${row.count} rules ${row.wasAsked ? 'that were tested and did not match' : 'that no packet reached'}`;
				this.#meet(row.meetings, {y, x}, {chain, number: null, isFold: true});
				const lines = wrapText(words, right - x - numberWidth - 8, types.small);
				for (const [index, line] of lines.entries()) {
					this.#text(line, {x: x + numberWidth, y: y + 15 + (index * lineHeight), type: types.small, look: row.wasAsked ? 'soft' : 'pale'});
				}

				return y + (lines.length * lineHeight) + rowPadding + 2;
			}

			case 'policy': {
				this.#meet(row.meetings.map(({leg}) => ({leg, state: 'end' as const})), {y, x}, {chain, number: null});
				this.#text(row.text, {x: x + numberWidth, y: y + 15, type: types.small, look: 'soft'});
				return y + lineHeight + rowPadding + 2;
			}

			case 'rule': {
				return this.#rule(row, {...place, y, x, right});
			}
		}
	}

	#rule({number, text, purpose, meetings, rewrites, inner}: Extract<Row, {kind: 'rule'}>, {y, x, right, depth, chain}: RowPlace): number {
		const decided = meetings.find(({state}) => state === 'decided');
		const isMatched = meetings.some(({state}) => state !== 'missed');
		const look: TextLook = isMatched ? 'ink' : (meetings.length > 0 ? 'soft' : 'pale');
		const purposes = purpose === null || meetings.length === 0 || !this.#frame.hasPurposes ? [] : wrapText(purpose, purposeWidth, types.purpose);
		const textLeft = x + numberWidth;
		// Purposes are in one column, however deep their chain.
		const purposeLeft = this.#frame.right - purposeWidth - 34;
		const room = purposes.length === 0 ? right - textLeft - 12 : purposeLeft - 14 - textLeft;
		const lines = wrapText(text === '' ? 'every packet' : text, room, types.rule);
		const changes = rewrites.flatMap(rewrite => wrapText(`${rewrite.what} ${rewrite.from} → ${rewrite.to}`, room - 4, types.port).map(line => ({line, leg: rewrite.leg})));
		const height = (Math.max(lines.length + changes.length, purposes.length) * lineHeight) + rowPadding + 2 + (changes.length > 0 ? 2 : 0);
		if (decided !== undefined) {
			this.shapes.push({
				kind: 'box', look: 'decided', x: x + 5, y, width: right - x - 10, height, leg: decided.leg,
			});
		}

		this.#meet(meetings, {y, x}, {chain, number});
		this.shapes.push({
			kind: 'block', look, type: types.rule, lines, x: textLeft, y: y + 15, isStrong: decided !== undefined, number: String(number ?? '?'),
		});
		for (const [index, {line, leg}] of changes.entries()) {
			this.#text(line, {
				x: textLeft, y: y + 17 + ((lines.length + index) * lineHeight), type: types.port, look: 'leg', leg,
			});
		}

		if (purposes.length > 0) {
			this.shapes.push({
				kind: 'block', look: isMatched ? 'ink' : 'soft', type: types.purpose, lines: purposes, x: purposeLeft, y: y + 15, isStrong: false,
			});
		}

		let bottom = y + height;
		for (const box of inner) {
			bottom = this.#chain(box, {y: bottom + 3, depth: depth + 1}) + 5;
		}

		return bottom;
	}

	/** The stations of a row, and the line from them to the row. */
	#meet(meetings: ReadonlyArray<{readonly leg: number; readonly state: AskedState | 'end'}>, {y, x}: {readonly y: number; readonly x: number}, row: StationRow): void {
		const center = y + 11;
		const tracks = meetings.map(({leg}) => this.#frame.trackOf(leg));
		if (tracks.length > 0) {
			const first = Math.min(...tracks);
			this.shapes.push({
				kind: 'leader', x: first, y: center, width: x + 10 - first,
			});
		}

		const seen = new Map(meetings.map(meeting => [meeting.leg, meeting]));
		for (const {leg, state} of seen.values()) {
			this.stations.push({
				kind: 'station', leg, state, x: this.#frame.trackOf(leg), y: center, row,
			});
			this.lastOf.set(leg, center);
		}
	}

	#text(text: string, {type, look, x, y, anchor = 'start', width = textWidth(text, type), leg, spaced}: {
		readonly type: Type; readonly look: TextLook; readonly x: number; readonly y: number; readonly anchor?: 'start' | 'end'; readonly width?: number; readonly leg?: number; readonly spaced?: true;
	}): void {
		this.shapes.push({
			kind: 'text', look, type, text, x, y, width: spaced === undefined ? width : width + text.length, anchor, ...(leg === undefined ? {} : {leg}), ...(spaced === undefined ? {} : {spaced}),
		});
	}
}
