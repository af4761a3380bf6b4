import fs from 'node:fs';
import {tellSlowest} from './slowest.mjs';

/** Counts that are needed per file. */
function printFiles(byFile) {
	return [...byFile].map(([file, stats]) => ({file, ...stats}));
}

/** Writes ava's statistics to a file: after every change, so that a run that dies leaves its last state. `ended` is true if ava finished. */
function writerInto(file) {
	let stats;
	const write = ended => {
		fs.writeFileSync(file, JSON.stringify({ended, stats: stats === undefined ? undefined : {...stats, byFile: printFiles(stats.byFile)}}));
	};

	return event => {
		if (event.type === 'stats') {
			stats = event.stats;
			write(false);
		}

		if (event.type === 'end') {
			write(true);
		}
	};
}

/**
An observer for ava's configuration (`observeRun`), which passes each event of a run to each of these functions.

@param {Array<(event: {type: string, testFile?: string}) => void>} listeners
*/
export function observeRunBy(listeners) {
	return async ({events}) => {
		for await (const event of events) {
			for (const listener of listeners) {
				listener(event);
			}
		}
	};
}

/** An observer that only writes the statistics to a file. */
export function observeRunInto(file) {
	return observeRunBy([writerInto(file)]);
}

/** What ava.config.js observes: the statistics, if a file for them is set, and how long each test file takes. */
export function observeRun({resultFile, say}) {
	return observeRunBy([...resultFile === undefined ? [] : [writerInto(resultFile)], tellSlowest({say})]);
}
