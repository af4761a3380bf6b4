/**
The exit status of a command. Nothing else decides it (docs/formats.md, "Exit status").
*/

/** How many results there are of each outcome. */
export type Tally = {readonly passed: number; readonly failed: number; readonly inconclusive: number};

/** The exit status of results. Statuses for bad usage, an unsuitable machine, and signals belong to errors. */
export type ExitStatus = 0 | 1 | 3;

/** 0: everything passed. 1: something failed. 3: something is inconclusive. A failure is certain, so it takes precedence; if nothing passed, nothing was shown. */
export function exitStatus({passed, failed, inconclusive}: Tally): ExitStatus {
	if (failed > 0) {
		return 1;
	}

	return inconclusive > 0 || passed === 0 ? 3 : 0;
}

/** The tally of one result. */
export function tallyOf(outcome: 'passed' | 'failed' | 'inconclusive'): Tally {
	return {passed: 0, failed: 0, inconclusive: 0, [outcome]: 1};
}

/** The tally of several results, or of groups of them. */
export function addTallies(tallies: readonly Tally[]): Tally {
	const sum = (key: keyof Tally): number => tallies.reduce((total, tally) => total + tally[key], 0);
	return {passed: sum('passed'), failed: sum('failed'), inconclusive: sum('inconclusive')};
}
