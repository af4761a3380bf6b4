/**
Prints the comparisons of series of rule sets, from one machine or from several.
*/

import {comparisonToJson} from '../../../src/report/comparison/json.js';
import {resultsOfComparisons, type ComparisonSuite} from '../../../src/report/comparison/results.js';
import type {ComparisonSuitesDocument} from '../../../src/report/comparison/schema.js';
import {printSeries} from '../../../src/report/comparison/series-text.js';
import {exitStatusOfResults} from '../../../src/report/formats/results.js';
import {programName} from '../../system/program-name.js';
import type {PrintFlags} from './destinations.js';
import {writeFormatted} from './write-report.js';

/**
Prints the series, and returns their exit status.

@throws {TestbedError} INPUT if a file cannot be written.
*/
export async function writeSeries(suites: readonly ComparisonSuite[], flags: PrintFlags): Promise<number> {
	const results = () => resultsOfComparisons(suites, programName());
	await writeFormatted({text: reader => printSeries(suites, reader), json: () => jsonOf(suites), results, status: () => exitStatusOfResults(results())}, flags);
	return exitStatusOfResults(results());
}

function jsonOf(suites: readonly ComparisonSuite[]): ComparisonSuitesDocument {
	return {version: 1, suites: suites.map(({name, reports, missing}) => ({name, missing, pairs: reports.map(report => comparisonToJson(report))}))};
}
