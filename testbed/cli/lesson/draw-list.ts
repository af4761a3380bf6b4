/**
A list to choose from, as lines of a terminal: never higher or wider than the terminal, because it is drawn again at every key.
*/

import type {Painter} from '../../../src/report/terminal/colors.js';

/** One item. `key` is what a person can type to go to it. */
export type Item = {readonly key: string; readonly value: string; readonly label: string};

/** What is drawn. `marked` is there if several items can be chosen; `state` is that of the prompt. */
export type ListState = {readonly message: string; readonly items: readonly Item[]; readonly cursor: number; readonly state: string; readonly marked?: readonly string[]};

/** The most items at once: with the question above them they fit on a projector. */
const itemsMax = 12;

/** The list, or after the choice only what was chosen. */
export function drawList({message, items, cursor, state, marked}: ListState, {paint, columns, rows}: {readonly paint: Painter; readonly columns: number; readonly rows: number}): string {
	const cut = (text: string, room: number): string => [...text].length <= room ? text : `${[...text].slice(0, Math.max(1, room - 1)).join('')}…`;
	if (state === 'submit' || state === 'cancel') {
		const chosen = items.filter(({value}, index) => marked === undefined ? index === cursor : marked.includes(value));
		return `  ${paint.dim('→')} ${cut(state === 'cancel' ? 'stopped' : (chosen.map(({label}) => label).join('; ') || 'none'), columns - 5)}\n`;
	}

	const shown = Math.max(1, Math.min(items.length, itemsMax, rows - 3));
	const first = Math.max(0, Math.min(cursor - Math.floor(shown / 2), items.length - shown));
	const lines = items.slice(first, first + shown).map(({key, value, label}, index) => {
		const isHere = first + index === cursor;
		const mark = marked === undefined ? '' : (marked.includes(value) ? '[x] ' : '[ ] ');
		const text = cut(`${key.padEnd(3)}${mark}${label}`, columns - 5);
		return `  ${isHere ? paint.cyan(`> ${text}`) : `  ${text}`}`;
	});
	const more = shown < items.length ? paint.dim(` (${first + 1}–${first + shown} of ${items.length})`) : '';
	return [`  ${paint.bold(message)}${more}`, ...lines].join('\n');
}
