/**
The answer to a probe as results for machines: one case, which passes if the kernel answered.
*/

import {familyNames} from '../../netfilter/address.js';
import {stepsOfPath} from '../../netfilter/path.js';
import {withDoubt, type CaseOutcome, type Results} from '../formats/results.js';
import {pictureOfProbe} from '../pictures/pictures.js';
import {printStops} from '../run/text.js';
import {describeContradiction} from './describe.js';
import {contradictionsOf, exitStatusOfProbe, type ProbeReport} from './types.js';

/** The results. */
export function resultsOfProbe(report: ProbeReport): Results {
	const {question: {from, asked, family, protocol}, rules: {source, release, backend, sha256, notes}, environment, hints, legs, durationMs} = report;
	return withDoubt({
		name: 'testbed probe',
		suites: [{
			name: `${source}, ${backend}`,
			properties: {
				rules: source, ...(release === null ? {} : {release}), backend, sha256, ...environment,
			},
			cases: [{
				name: `${from} to ${asked}, ${protocol}, ${familyNames[family]}`,
				outcome: outcomeOf(report),
				observed: printStops(report).join(' '),
				notes: [
					['path', stepsOfPath({legs}).join(' > ')],
					...contradictionsOf(report).map(({leg, contradiction}) => ['finding', `Leg ${leg + 1}: ${describeContradiction(contradiction)}`] as const),
				],
				pictures: () => pictureOfProbe(report),
			}],
			hints: [...notes, ...hints],
			durationMs,
		}],
		durationMs,
	});
}

function outcomeOf(report: ProbeReport): CaseOutcome {
	if (exitStatusOfProbe(report) === 0) {
		return {kind: 'pass'};
	}

	const reasons = report.gaps.map(({kind, message}) => `${kind}: ${message}`);
	return {kind: 'inconclusive', message: report.gaps[0]?.message ?? 'No packet of the connection was seen.', reasons};
}
