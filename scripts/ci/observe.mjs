import fs from 'node:fs';
import {tellSlowest} from './slowest.mjs';

/** Counts for which a file must be looked at by itself. */
function printFiles(byFile) {
	return [...byFile].map(([file, stats]) => ({file, ...stats}));
}

/** Writes ava's statistics to a file: after every change, so that a run that dies leaves what it knew. `ended` is true when ava got to its end. */
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
An observer for ava's configuration (`observeRun`), which gives each event of a run to each of these functions.

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

/** The same for the statistics alone, which go into a file. */
export function observeRunInto(file) {
	return observeRunBy([writerInto(file)]);
}

/** What ava.config.js observes: the statistics, if somebody asks for a file of them, and how long each file of tests takes. */
export function observeRun({resultFile, say}) {
	return observeRunBy([...resultFile === undefined ? [] : [writerInto(resultFile)], tellSlowest({say})]);
}
