/**
Errors of several inputs, reported at once.
*/

import {TestbedError} from '../errors.js';

/** Several errors as one. `faults` are the single ones, none of which is a `ManyFaults` itself. */
export class ManyFaults extends TestbedError {
	readonly faults: readonly TestbedError[];

	constructor(faults: readonly TestbedError[], {heading, areHintsShown = false}: {readonly heading: string; readonly areHintsShown?: boolean}) {
		const [first] = faults;
		const hints = new Set(faults.map(({hint}) => hint));
		const isOneHint = hints.size === 1;
		const lines = faults.flatMap(({message, hint}) => [message, ...(areHintsShown && !isOneHint && hint !== undefined ? [`→ ${hint}`] : [])]);
		super(faults.every(({code}) => code === first!.code) ? first!.code : 'INPUT', {
			message: `${heading}\n${lines.map(line => `  ${line.replaceAll('\n', '\n  ')}`).join('\n')}`,
			state: 'Nothing was run.',
			...(isOneHint && first!.hint !== undefined ? {hint: first!.hint} : {}),
			cause: first,
		});
		this.faults = faults;
	}
}

/** An error as single ones. */
export function faultsIn(error: TestbedError): readonly TestbedError[] {
	return error instanceof ManyFaults ? error.faults : [error];
}

/**
Does everything, and throws the errors of all that failed at once; a single one is thrown as it is.

@throws {TestbedError} The error, or a {@link ManyFaults}.
*/
export function doAll<T>(acts: ReadonlyArray<() => T>, {heading}: {readonly heading: (failed: number) => string}): readonly T[] {
	const faults: TestbedError[] = [];
	const results = acts.flatMap(act => {
		try {
			return [act()];
		} catch (error) {
			if (!(error instanceof TestbedError)) {
				throw error;
			}

			faults.push(...faultsIn(error));
			return [];
		}
	});
	if (faults.length > 1) {
		throw new ManyFaults(faults, {heading: heading(acts.length - results.length)});
	}

	const [only] = faults;
	if (only !== undefined) {
		throw only;
	}

	return results;
}
