/**
Outcome counts and the exit status of a run.
*/

import {exitStatus, type ExitStatus, type Tally} from '../../judge/exit-status.js';
import type {Report, TypeResult} from './types.js';

/** Everything that was judged: the types, and the traffic of other users. */
export function allResults({types, others = []}: Pick<Report, 'types' | 'others'>): readonly TypeResult[] {
	return [...types, ...others.flatMap(({types: own}) => own)];
}

/** Counts the outcomes of a run's types. Nothing else counts them. */
export function summarize(report: Pick<Report, 'types' | 'others'>): Tally {
	const all = allResults(report);
	const count = (kind: string) => all.filter(({outcome}) => outcome.kind === kind).length;
	return {passed: count('pass'), failed: count('fail'), inconclusive: count('inconclusive')};
}

/** The exit status of a run. A run without any type has shown nothing. */
export function exitStatusOfRun(report: Pick<Report, 'types' | 'others'>): ExitStatus {
	return exitStatus(summarize(report));
}
