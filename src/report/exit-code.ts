/**
How a run ends for its caller: see "Exit codes" in `README.md`.
*/

import type {Report} from './run/types.js';

/** How many types ended how. */
export type Summary = {readonly passed: number; readonly failed: number; readonly inconclusive: number};

/** Counts the outcomes: the one place that does. */
export function summarize({types}: Pick<Report, 'types'>): Summary {
	const count = (kind: string) => types.filter(({outcome}) => outcome.kind === kind).length;
	return {passed: count('pass'), failed: count('fail'), inconclusive: count('inconclusive')};
}

/** 0 all passed, 1 something failed, 3 something is inconclusive. A failure is certain, so it goes first; a run without any type has shown nothing. */
export function exitCode(report: Pick<Report, 'types'>): 0 | 1 | 3 {
	const {passed, failed, inconclusive} = summarize(report);
	if (failed > 0) {
		return 1;
	}

	return inconclusive > 0 || passed === 0 ? 3 : 0;
}
