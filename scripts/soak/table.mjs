/*
The table of docs/reliability.md, which is also where the rows of earlier campaigns are kept. Pure.
*/

/** @typedef {{part: string, tried: string, survived: string, faults: string, note: string, seed: string, machine: string, date: string, commit: string}} Row cells as text */

const beginMark = '<!-- soak: begin -->';
const endMark = '<!-- soak: end -->';
const columns = ['part', 'tried', 'survived', 'faults', 'note', 'seed', 'machine', 'date', 'commit'];
const titles = ['part', 'tried', 'survived', 'faults', 'what happened', 'seed', 'machine', 'date', 'commit'];

const escapeCell = text => String(text).replaceAll(/\s+/gu, ' ').replaceAll('\\', '\\\\').replaceAll('|', String.raw`\|`).replaceAll('<', '&lt;');
const unescapeCell = text => text.replaceAll('&lt;', '<').replaceAll(/\\([\\|])/gu, '$1');

/** The lines between the marks, or all of the text's places where they should be. @throws {Error} if a mark is missing: rows would be lost */
function placesIn(text) {
	const [begin, end] = [text.indexOf(beginMark), text.indexOf(endMark)];
	if (begin === -1 || end < begin) {
		throw new Error(`docs/reliability.md needs the lines ${beginMark} and ${endMark}, in this order.`);
	}

	return [begin + beginMark.length, end];
}

/** The rows of a document. @returns {readonly Row[]} */
export function parseRows(text) {
	const lines = text.slice(...placesIn(text)).split('\n').filter(line => line.startsWith('| ')).slice(2); // Without the titles and the line below them.
	return lines.map(line => {
		const cells = line.slice(2, -2).split(/(?<!\\) \| /u).map(cell => unescapeCell(cell));
		return Object.fromEntries(columns.map((column, place) => [column, cells[place] ?? '']));
	});
}

/**
Replaces the rows of parts that were run. A part that could not try something says so in its row.

@param {readonly Row[]} old
@param {ReadonlyArray<{name: string, tried: number, survived: number, faults: readonly string[], notTried?: readonly string[], note?: string, seed: number, machine: string, date: string, commit: string}>} results
@returns {readonly Row[]}
*/
export function mergeRows(old, results) {
	const fresh = results.map(({name, tried, survived, faults, notTried = [], note = '', ...rest}) => ({
		part: name, tried, survived, faults: faults.length, note: [note, notTried.length === 0 ? '' : `not tried: ${notTried.join(', ')}`].filter(text => text !== '').join('; '), ...rest,
	})).map(row => Object.fromEntries(columns.map(column => [column, String(row[column])])));
	const kept = old.filter(({part}) => !fresh.some(row => row.part === part));
	return [...kept, ...fresh].toSorted((one, other) => one.part < other.part ? -1 : 1);
}

/** The document with these rows. */
export function replaceBlock(text, rows) {
	const [begin, end] = placesIn(text);
	const lines = [titles, columns.map(() => '---'), ...rows.map(row => columns.map(column => escapeCell(row[column])))].map(cells => `| ${cells.join(' | ')} |`);
	return `${text.slice(0, begin)}\n\n${lines.join('\n')}\n\n${text.slice(end)}`;
}
