/** How many files are listed. */
const namedMax = 10;

/** Compiled kernel test files. All others together take seconds. */
const kernelFile = /(?:^|\/)dist\/test\/kernel\/(?<name>[\w-]+)\.test\.js$/;

/**
The slowest files, as lines.

@param {Map<string, number>} seconds By file.
*/
export function printSlowest(seconds) {
	const slowest = [...seconds].toSorted(([, one], [, other]) => other - one).slice(0, namedMax);
	return [
		`The ${slowest.length} slowest of ${seconds.size} files of kernel tests (two run at once):`,
		...slowest.map(([name, elapsed]) => `  ${elapsed.toFixed(1).padStart(7)} s  test/kernel/${name}.test.ts`),
	];
}

/**
A listener for ava's events that lists the slowest files at the end of a run of two or more kernel test files. A file starts with its first event, once it is loaded, and ends with its process.

@param {{say: (text: string) => void, now?: () => number}} how `now`: milliseconds.
*/
export function tellSlowest({say, now = () => performance.now()}) {
	const begun = new Map();
	const seconds = new Map();
	return ({type, testFile}) => {
		const name = kernelFile.exec(testFile ?? '')?.groups.name;
		if (name !== undefined) {
			begun.set(name, begun.get(name) ?? now());
			seconds.set(name, (now() - begun.get(name)) / 1000);
		}

		if (type === 'end' && seconds.size > 1) {
			say(`${printSlowest(seconds).join('\n')}\n`);
		}
	};
}
