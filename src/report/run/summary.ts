/**
How the types of a run ended.
*/

import {exitStatus, type ExitStatus, type Tally} from '../../judge/exit-status.js';
import type {Report} from './types.js';

/** Counts the outcomes of a run's types: the one place that does. */
export function summarize({types}: Pick<Report, 'types'>): Tally {
	const count = (kind: string) => types.filter(({outcome}) => outcome.kind === kind).length;
	return {passed: count('pass'), failed: count('fail'), inconclusive: count('inconclusive')};
}

/** The exit status of a run; one without any type has shown nothing. */
export function exitStatusOfRun(report: Pick<Report, 'types'>): ExitStatus {
	return exitStatus(summarize(report));
}
