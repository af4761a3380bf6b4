/**
Commands that are measured with this build and with an older one, in turn: the machines are noisy, and only ratios within one run count.
*/

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {packageRoot} from '../system/package-root.js';
import {medianCost, timeCommand, type Cost} from './timed-command.js';

/** A row: what is measured, and its target, in seconds or MiB. */
export type Row = {
	readonly name: string;
	/** What the file holds that the command is given: rules or probes. */
	readonly text?: string;
	/** The command line. `file` has the text, `root` is the checkout that both builds read files of. */
	readonly words: (given: {readonly file: string; readonly root: string}) => readonly string[];
	/** Words that the older build has another name for. */
	readonly formerly?: Readonly<Record<string, string>>;
	readonly goal: string;
	/** The command is ended after that many seconds, and its memory counts. */
	readonly limitSeconds?: number;
};

/** How often each build is measured, and the folder of the older one, if there is one. */
export type Comparison = {readonly rounds: number; readonly old: string | undefined};

/** The statuses of a command that did its work: nothing failed, something did, or was inconclusive. */
const worked: ReadonlySet<number> = new Set([0, 1, 3]);

/** What a command took; if it did not do its work, that says nothing, so the status is told. */
function printCost({clockSeconds, processorSeconds, memoryMiB, isCut, status}: Cost): string {
	const figures = `${isCut ? '  >' : '   '}${clockSeconds.toFixed(2).padStart(7)} s${processorSeconds.toFixed(2).padStart(8)} s${memoryMiB.toFixed(0).padStart(6)} MiB`;
	return isCut || worked.has(status) ? figures : `${figures} (status ${status})`;
}

/** Measures a row with both builds in turn. */
async function measureRow({name, words, formerly = {}, goal, limitSeconds}: Row, {file, rounds, old}: Comparison & {readonly file: string}): Promise<string> {
	const given = words({file, root: old ?? packageRoot});
	const costs: {readonly old: Cost[]; readonly own: Cost[]} = {old: [], own: []};
	for (let round = 0; round < rounds; round++) {
		const limit = limitSeconds === undefined ? {} : {limitSeconds};
		// A build that did not end in time will not the next time.
		if (old !== undefined && costs.old.at(-1)?.isCut !== true) {
			costs.old.push(await timeCommand(given.map(word => formerly[word] ?? word), {folder: old, ...limit})); // eslint-disable-line no-await-in-loop -- In parallel they would disturb each other.
		}

		costs.own.push(await timeCommand(given, limit)); // eslint-disable-line no-await-in-loop -- As above.
	}

	const own = medianCost(costs.own);
	if (costs.old.length === 0) {
		return `  ${name.padEnd(22)}${printCost(own)}  target ${goal}\n`;
	}

	const before = medianCost(costs.old);
	const [clock, processor] = [before.clockSeconds / own.clockSeconds, before.processorSeconds / own.processorSeconds];
	return `  ${name.padEnd(22)}${printCost(before)}${printCost(own)}  ${before.isCut ? '> ' : ''}${clock.toFixed(2)} × (${processor.toFixed(2)} × of processors)  target ${goal}\n`;
}

/** Measures all rows and returns the lines. */
export async function compareCommands(rows: readonly Row[], {rounds, old}: Comparison): Promise<readonly string[]> {
	const lines: string[] = [];
	const folder = mkdtempSync(path.join(os.tmpdir(), 'testbed-bench-'));
	try {
		for (const [index, row] of rows.entries()) {
			const file = path.join(folder, `${index}.txt`);
			writeFileSync(file, row.text ?? '');
			lines.push(await measureRow(row, {file, rounds, old})); // eslint-disable-line no-await-in-loop -- In parallel they would disturb each other.
		}
	} finally {
		rmSync(folder, {recursive: true});
	}

	return lines;
}

/** The heading of such rows. */
export function headingOfRows(what: string, {rounds, old}: Comparison): string {
	return `\n${what}: by the clock, of all processors, and memory${old === undefined ? '' : '; first the old build, then this one'} (median of ${rounds})\n`;
}
