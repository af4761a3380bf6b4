/**
How a command ends for its caller: the one place that decides it (docs/formats.md, "Exit status").
*/

/** How many questions ended how. */
export type Tally = {readonly passed: number; readonly failed: number; readonly inconclusive: number};

/** The exit status of results. Statuses for bad usage, a machine that cannot do it, and signals are those of errors. */
export type ExitStatus = 0 | 1 | 3;

/** 0: all passed. 1: something failed. 3: something is inconclusive. A failure is certain, so it goes first; where nothing passed, nothing was shown. */
export function exitStatus({passed, failed, inconclusive}: Tally): ExitStatus {
	if (failed > 0) {
		return 1;
	}

	return inconclusive > 0 || passed === 0 ? 3 : 0;
}

/** The tally of one question. */
export function tallyOf(outcome: 'passed' | 'failed' | 'inconclusive'): Tally {
	return {passed: 0, failed: 0, inconclusive: 0, [outcome]: 1};
}

/** The tally of several questions, or of groups of them. */
export function addTallies(tallies: readonly Tally[]): Tally {
	const sum = (key: keyof Tally): number => tallies.reduce((total, tally) => total + tally[key], 0);
	return {passed: sum('passed'), failed: sum('failed'), inconclusive: sum('inconclusive')};
}
