/**
The files that a bug report can hold: a recording, the rules, and scenarios.
*/

import path from 'node:path';
import type {BugReport} from '../../../src/report/bug-report-schema.js';
import {printRules} from '../../../src/report/rules/text.js';
import {addressFamilies} from '../../../src/mesh/topology.js';
import {TestbedError} from '../../errors.js';
import {readBytes, readText} from '../../inputs/read-text.js';
import {readSource} from '../../inputs/request.js';
import {loadRuleInput} from '../../inputs/rules.js';
import {scenarioFiles} from '../../inputs/scenario-words.js';
import {fullSource, isDump, liveNameOf, parseSource} from '../../inputs/source.js';
import {recordingLines} from '../../recording/file.js';
import {sealedBytesMax, sealedText} from '../../recording/sealed-lines.js';
import type {Redactor} from './redact.js';

/** What the command line names. */
export type NamedFiles = {readonly recording?: string; readonly rules?: string; readonly rules6?: string; readonly scenario?: readonly string[]};

/** A file of a report. */
export type ReportFile = BugReport['files'][number];

/**
Reads the files and replaces the names in them.

@throws {TestbedError} INPUT or USAGE for a file that cannot be read, a live pod, and what is no recording. Rules that are not understood are no error: they may be what the report is about.
*/
export function readFiles({recording, rules, rules6, scenario = []}: NamedFiles, redactor: Redactor): {readonly files: readonly ReportFile[]; readonly faults: readonly string[]} {
	if (rules6 !== undefined && rules === undefined) {
		throw new TestbedError('USAGE', {message: '--rules6 goes with the dump in --rules.', hint: 'Add --rules FILE.'});
	}

	const faults: string[] = [];
	const files = [
		...(recording === undefined ? [] : [{name: named(recording, 'recording.testbed'), what: 'the recording, decompressed', text: textOfRecording(recording, redactor)}]),
		...(rules === undefined ? [] : rulesFiles(rules, redactor, faults)),
		...(rules6 === undefined ? [] : [{name: named(rules6, 'rules6.txt'), what: 'the IPv6 dump of --rules6', text: redactor.text(readSource(rules6, '--rules6'))}]),
		...scenarioFiles(scenario).map(file => ({name: named(file, 'scenario.yaml'), what: 'a scenario', text: redactor.text(readText({file, what: 'The scenario', option: '--scenario'}))})),
	];
	const seen = new Map<string, number>();
	return {
		files: files.map(file => {
			const name = redactor.text(file.name);
			const times = (seen.get(name) ?? 0) + 1;
			seen.set(name, times);
			return {...file, name: times === 1 ? name : `${times}-${name}`};
		}),
		faults,
	};
}

function named(file: string, unnamed: string): string {
	return file === '-' ? unnamed : path.basename(file);
}

/** A recording keeps its checksum, of the lines as they are now. */
function textOfRecording(file: string, redactor: Redactor): string {
	return sealedText(recordingLines(readBytes({file, what: 'The recording', bytesMax: sealedBytesMax}), file).map(line => redactor.data(line)));
}

/** A dump as it is; generated rules as they are printed. A manifest may hold secrets in its variables, so only what the testbed makes of it is put in. */
function rulesFiles(given: string, redactor: Redactor, faults: string[]): readonly ReportFile[] {
	const {source} = fullSource(given);
	if (liveNameOf(source) !== undefined) {
		throw new TestbedError('USAGE', {message: `${source} is a live pod, and a report holds files only.`, hint: 'Save its rules first: testbed rules prints them.'});
	}

	if (isDump(source)) {
		return [{name: named(parseSource(source).file!, 'rules.txt'), what: 'the dump of --rules', text: redactor.text(readSource(source))}];
	}

	try {
		const {backend, ruleSet, routing} = loadRuleInput({source, families: addressFamilies, isForShow: true, isForPrint: true, allowModules: true});
		const text = printRules({
			backend, families: addressFamilies, ruleSet, routing,
		});
		return [{name: 'rules.txt', what: `the rules that the testbed makes of ${redactor.text(source)}`, text: redactor.text(text)}];
	} catch (error) {
		if (!(error instanceof TestbedError)) {
			throw error;
		}

		faults.push(redactor.text(`--rules: ${error.message}`));
		return [];
	}
}
