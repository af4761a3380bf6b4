/**
Prints a report on mutants, from one machine or from several.
*/

import {mutationToJson} from '../../../src/report/mutation/json.js';
import {resultsOfMutation} from '../../../src/report/mutation/results.js';
import {printMutation} from '../../../src/report/mutation/text.js';
import {exitStatusOfMutation, type MutationReport} from '../../../src/report/mutation/types.js';
import {programName} from '../../system/program-name.js';
import type {PrintFlags} from './destinations.js';
import {writeFormatted} from './write-report.js';

/**
Prints the report.

@throws {TestbedError} INPUT if a file cannot be written.
*/
export async function writeMutation(report: MutationReport, flags: PrintFlags): Promise<void> {
	await writeFormatted({
		text: reader => printMutation(report, reader),
		json: () => mutationToJson(report),
		results: () => resultsOfMutation(report, programName()),
		status: () => exitStatusOfMutation(report),
	}, flags);
}
