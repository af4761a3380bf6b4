import fs from 'node:fs';

/** Counts for which a file must be looked at by itself. */
function printFiles(byFile) {
	return [...byFile].map(([file, stats]) => ({file, ...stats}));
}

/**
An observer for ava's configuration (`observeRun`), which writes ava's statistics to a file: after every change, so that a run that dies leaves what it knew.
`ended` is true when ava got to its end.
*/
export function observeRunInto(file) {
	const write = (stats, ended) => {
		fs.writeFileSync(file, JSON.stringify({ended, stats: stats === undefined ? undefined : {...stats, byFile: printFiles(stats.byFile)}}));
	};

	return async ({events}) => {
		let stats;
		for await (const event of events) {
			if (event.type === 'stats') {
				stats = event.stats;
				write(stats, false);
			}

			if (event.type === 'end') {
				write(stats, true);
			}
		}
	};
}
