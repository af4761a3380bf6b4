/**
The room that a text needs, by the widest of the fonts that may show it, and texts broken into lines. Nothing is ever cut: a word without a space is broken at the end of the line.
*/

import {
	boldWidths, fixedWidth, measuredCharacters, regularWidths, unknownWidth,
} from './font-metrics.js';

/** The kinds of type in a drawing. */
export type Face = 'sans' | 'bold' | 'mono';

/** Type in a size, in units of the drawing. */
export type Type = {readonly face: Face; readonly size: number};

/** Widths by code point, in thousandths. */
const widthsOf: Readonly<Record<Face, ReadonlyMap<number, number>>> = {
	sans: tableOf(index => regularWidths[index]!), bold: tableOf(index => boldWidths[index]!), mono: tableOf(() => fixedWidth),
};

function tableOf(widthAt: (index: number) => number): ReadonlyMap<number, number> {
	return new Map(Array.from(measuredCharacters, (character, index) => [character.codePointAt(0)!, widthAt(index)]));
}

/** The maximum width of a text, in units of the drawing. */
export function textWidth(text: string, {face, size}: Type): number {
	const widths = widthsOf[face];
	let thousandths = 0;
	for (const character of text) {
		thousandths += widths.get(character.codePointAt(0)!) ?? unknownWidth;
	}

	return thousandths * size / 1000;
}

/** A text in lines of at most that width. Spaces at line breaks are removed. There is always at least one line. */
export function wrapText(text: string, width: number, type: Type): readonly string[] {
	const space = textWidth(' ', type);
	const lines: string[] = [];
	let line: string[] = [];
	let lineWidth = 0;
	const end = (): void => {
		if (line.length > 0) {
			lines.push(line.join(' '));
		}
	};

	for (const word of text.split(/\s+/u).filter(part => part !== '')) {
		const own = textWidth(word, type);
		if (line.length > 0 && lineWidth + space + own <= width) {
			line.push(word);
			lineWidth += space + own;
			continue;
		}

		end();
		const pieces = own <= width ? [word] : breakWord(word, width, type);
		lines.push(...pieces.slice(0, -1));
		line = [pieces.at(-1)!];
		lineWidth = textWidth(line[0]!, type);
	}

	end();
	return lines.length === 0 ? [''] : lines;
}

/** A long word is preferably broken after one of these. */
const marks = ['-', '_', '/', ',', '.', ':'];

/** A word in pieces, each ending after a mark if there is one in its second half. */
function breakWord(word: string, width: number, type: Type): readonly string[] {
	const pieces: string[] = [];
	let piece = '';
	for (const character of word) {
		if (piece !== '' && textWidth(piece + character, type) > width) {
			const at = breakOf(piece);
			pieces.push(piece.slice(0, at));
			piece = piece.slice(at);
		}

		piece += character;
	}

	return [...pieces, piece];
}

function breakOf(piece: string): number {
	const behind = Math.max(...marks.map(mark => piece.lastIndexOf(mark))) + 1;
	return behind > piece.length / 2 ? behind : piece.length;
}
