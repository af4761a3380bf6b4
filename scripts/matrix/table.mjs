/*
The table of machines: as text for a terminal of 80 columns, and as the block of docs/machines.md that is also where the rows of earlier runs are kept. Pure.
*/

/** @typedef {{part: string, machine: string, distribution: string, npm: string, node: string, iptables: string, nft: string, kernel: string, result: string, packages?: number, megabytes?: number, seconds?: number, date: string, commit: string}} Row */

const beginMark = '<!-- matrix: begin -->';
const endMark = '<!-- matrix: end -->';
const columns = ['part', 'machine', 'distribution', 'npm', 'node', 'iptables', 'nft', 'kernel', 'result', 'packages', 'megabytes', 'seconds', 'date', 'commit'];
const titles = ['part', 'machine', 'distribution', 'npm', 'Node', 'iptables', 'nft', 'kernel', 'result', 'packages', 'MB', 's to the first answer', 'date', 'commit'];
const figures = new Set(['packages', 'megabytes', 'seconds']);

/** A reason as shown in the document; long ones are in full in the output of the matrix. */
const longestResult = 240;

/** A version for display: a kernel version without the flavor of its package. */
const shortKernel = kernel => kernel.replace(/-(?:cloud-)?amd64$/, '');

function wrap(text, width, indent) {
	const lines = [];
	let line = '';
	for (const word of text.split(' ')) {
		if (line !== '' && indent.length + line.length + 1 + word.length > width) {
			lines.push(indent + line);
			line = word;
		} else {
			line = line === '' ? word : `${line} ${word}`;
		}

		while (indent.length + line.length > width) {
			lines.push(indent + line.slice(0, width - indent.length));
			line = line.slice(width - indent.length);
		}
	}

	return line === '' ? lines : [...lines, indent + line];
}

/** Splits a result: its first word goes into the table, the reason below the row. */
const wordOf = result => result.split(':')[0];
const reasonOf = result => result.includes(': ') ? result.slice(result.indexOf(': ') + 2) : '';

/** The table for a terminal, with lines of at most `width` columns. */
export function renderText(rows, width = 80) {
	const shown = [
		['machine', 27, ({machine}) => machine], ['npm', 7, ({npm}) => npm], ['Node', 8, ({node}) => node], ['iptables', 8, ({iptables}) => iptables],
		['nft', 5, ({nft}) => nft], ['kernel', 10, ({kernel}) => shortKernel(kernel).replace(/[-+].*$/, '')], ['result', 9, ({result}) => wordOf(result)],
	];
	const line = cells => cells.map((cell, place) => cell.padEnd(shown[place][1])).join(' ').trimEnd();
	const lines = [line(shown.map(([title]) => title)), '-'.repeat(width)];
	for (const row of rows) {
		const cells = shown.map(column => column[2](row) || '-');
		const [first, ...others] = wrap(cells[0], shown[0][1], '');
		lines.push(line([first, ...cells.slice(1)]), ...others.map(other => `  ${other}`.slice(0, width)));
		if (reasonOf(row.result) !== '') {
			lines.push(...wrap(reasonOf(row.result), width, '    '));
		}

		if (row.seconds !== undefined) {
			lines.push(`    ${row.packages} packages, ${row.megabytes} MB, ${row.seconds} s from the clone to the first answer`);
		}
	}

	return lines.join('\n');
}

const escapeCell = text => text.replaceAll(/\s+/g, ' ').replaceAll('\\', '\\\\').replaceAll('|', String.raw`\|`).replaceAll('<', '&lt;');
const unescapeCell = text => text.replaceAll('&lt;', '<').replaceAll(/\\([\\|])/g, '$1');
const cut = text => text.length > longestResult ? `${text.slice(0, longestResult - 1)}…` : text;

function cellOf(row, column) {
	const value = row[column];
	if (value === undefined || value === '') {
		return '';
	}

	return escapeCell(column === 'result' ? cut(value) : String(value));
}

/** The block of the document, including its markers. */
export function renderBlock(rows) {
	const lines = rows.map(row => `| ${columns.map(column => cellOf(row, column)).join(' | ')} |`);
	return [beginMark, '', `| ${titles.join(' | ')} |`, `|${columns.map(() => '---').join('|')}|`, ...lines, '', endMark].join('\n');
}

/** The rows of a document's block; none if there is no block yet. @throws if the block is damaged, because rows would be lost silently. */
export function parseRows(text) {
	const begin = text.indexOf(beginMark);
	const end = text.indexOf(endMark);
	if (begin === -1 && end === -1) {
		return [];
	}

	if (begin === -1 || end < begin) {
		throw new Error(`The markers "${beginMark}" and "${endMark}" must appear once each, in this order.`);
	}

	const lines = text.slice(begin + beginMark.length, end).split('\n').filter(line => line.startsWith('|')).slice(2);
	return lines.map(line => {
		const cells = line.replace(/^\| ?/, '').replace(/ ?\|$/, '').split(/ ?(?<!\\)\| ?/);
		if (cells.length !== columns.length) {
			throw new Error(`A table row has ${cells.length} cells instead of ${columns.length}: ${line}`);
		}

		return Object.fromEntries(columns.map((column, place) => [column, unescapeCell(cells[place])]).filter(([column, value]) => value !== '' || !figures.has(column))
			.map(([column, value]) => [column, figures.has(column) ? Number(value) : value]));
	});
}

/** The document with its block replaced, or appended if it has none. */
export function replaceBlock(text, rows) {
	const begin = text.indexOf(beginMark);
	if (begin === -1) {
		return `${text.trimEnd()}\n\n${renderBlock(rows)}\n`;
	}

	return text.slice(0, begin) + renderBlock(rows) + text.slice(text.indexOf(endMark) + endMark.length);
}

/** The rows of earlier runs, replaced by those of this run; new rows follow the last one of their part. */
export function mergeRows(before, now) {
	const same = (a, b) => a.part === b.part && a.machine === b.machine;
	const merged = before.map(row => now.find(candidate => same(candidate, row)) ?? row);
	for (const row of now.filter(candidate => !before.some(other => same(candidate, other)))) {
		const last = merged.findLastIndex(other => other.part === row.part);
		merged.splice(last === -1 ? merged.length : last + 1, 0, row);
	}

	return merged;
}
