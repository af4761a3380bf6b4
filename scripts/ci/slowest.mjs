/** So many files are named. */
const namedMax = 10;

/** Files of tests that ask the kernel, compiled. The others take seconds together. */
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
A listener for ava's events that tells, at the end of a run of two or more files of kernel tests, which were the slowest. A file begins with its first event, when it has been loaded, and ends when its process does.

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
