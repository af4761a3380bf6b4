/**
The answer to a probe in one line.
*/

import {stepsOfPath} from '../../netfilter/path.js';
import {contradictionsOf, exitStatusOfProbe, type ProbeReport} from './types.js';

/** The outcome and the path; for an answer with gaps, what is missing as well. Ends in a line break. */
export function printBrief(report: ProbeReport): string {
	const path = stepsOfPath(report).join(' > ');
	const findings = contradictionsOf(report).length;
	const remarks = [
		...report.gaps.map(({message}) => message),
		...(findings === 0 ? [] : [`${findings} ${findings === 1 ? 'finding' : 'findings'}; without --brief, the answer shows ${findings === 1 ? 'it' : 'them'}`]),
	];
	const outcome = exitStatusOfProbe(report) === 0 ? 'answered' : 'inconclusive';
	return `${[`${outcome}: ${path === '' ? 'no packet was seen' : path}`, ...remarks.map(text => `(${text})`)].join(' ').replaceAll(/\s*\n\s*/gu, ' ')}\n`;
}
