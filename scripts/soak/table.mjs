/*
The table of docs/reliability.md, which is also where the rows of earlier campaigns are kept. Pure.
*/

/** @typedef {{part: string, tried: string, survived: string, faults: string, note: string, seed: string, machine: string, date: string, commit: string}} Row cells as text */

const rowMarks = ['<!-- soak: begin -->', '<!-- soak: end -->'];
const fixedMarks = ['<!-- soak-fixed: begin -->', '<!-- soak-fixed: end -->'];
const columns = ['part', 'tried', 'survived', 'faults', 'note', 'seed', 'machine', 'date', 'commit'];
const titles = ['part', 'tried', 'survived', 'faults', 'what happened', 'seed', 'machine', 'date', 'commit'];

const escapeCell = text => String(text).replaceAll(/\s+/gu, ' ').replaceAll('\\', '\\\\').replaceAll('|', String.raw`\|`).replaceAll('<', '&lt;');
const unescapeCell = text => text.replaceAll('&lt;', '<').replaceAll(/\\([\\|])/gu, '$1');

/** Where the text between two marks begins and ends. @throws {Error} if a mark is missing: what is there would be lost */
function placesIn(text, [beginMark, endMark]) {
	const [begin, end] = [text.indexOf(beginMark), text.indexOf(endMark)];
	if (begin === -1 || end < begin) {
		throw new Error(`docs/reliability.md needs the lines ${beginMark} and ${endMark}, in this order.`);
	}

	return [begin + beginMark.length, end];
}

/** The rows of a document. @returns {readonly Row[]} */
export function parseRows(text) {
	const lines = text.slice(...placesIn(text, rowMarks)).split('\n').filter(line => line.startsWith('| ')).slice(2); // Without the titles and the line below them.
	return lines.map(line => {
		const cells = line.slice(2, -2).split(/(?<!\\) \| /u).map(cell => unescapeCell(cell));
		return Object.fromEntries(columns.map((column, place) => [column, cells[place] ?? '']));
	});
}

/**
Replaces the rows of parts that were run with the same commit, and adds the others. A part that could not try something says so in its row.

@param {readonly Row[]} old
@param {ReadonlyArray<{name: string, tried: number, survived: number, faults: readonly string[], notTried?: readonly string[], note?: string, seed: number, machine: string, date: string, commit: string}>} results
@returns {readonly Row[]}
*/
export function mergeRows(old, results) {
	const fresh = results.map(({name, tried, survived, faults, notTried = [], note = '', ...rest}) => ({
		part: name, tried, survived, faults: faults.length, note: [note, notTried.length === 0 ? '' : `not tried: ${notTried.join(', ')}`].filter(text => text !== '').join('; '), ...rest,
	})).map(row => Object.fromEntries(columns.map(column => [column, String(row[column])])));
	const kept = old.filter(({part, commit}) => !fresh.some(row => row.part === part && row.commit === commit));
	return [...kept, ...fresh].toSorted((one, other) => one.part.localeCompare(other.part));
}

/** A table of these cells; the first row has the titles. */
function printTable([titlesOfColumns, ...rows]) {
	return [titlesOfColumns, titlesOfColumns.map(() => '---'), ...rows].map(cells => `| ${cells.map(cell => escapeCell(cell)).join(' | ')} |`).join('\n');
}

function replaceBetween(text, marks, block) {
	const [begin, end] = placesIn(text, marks);
	return `${text.slice(0, begin)}\n\n${block}\n\n${text.slice(end)}`;
}

/** The document with these rows. */
export function replaceBlock(text, rows) {
	return replaceBetween(text, rowMarks, printTable([titles, ...rows.map(row => columns.map(column => row[column]))]));
}

/** The document with the faults that were found and fixed. @param {typeof import('./fixed.mjs').fixed} fixed */
export function replaceFixed(text, fixed) {
	return replaceBetween(text, fixedMarks, printTable([['part', 'fault', 'cause', 'test'], ...fixed.map(({part, fault, cause, test, title}) => [part, fault, cause, `${test}: … ${title}`])]));
}
