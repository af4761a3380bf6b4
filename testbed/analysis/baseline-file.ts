/**
Baselines on disk.
*/

import type {Baseline} from '../../src/baseline/baseline.js';
import {parseBaseline, printBaseline} from '../../src/baseline/file.js';
import {InputError} from '../../src/parsing/input-error.js';
import {quote} from '../../src/report/terminal/shell-quote.js';
import {TestbedError} from '../errors.js';
import {checksumOf} from '../inputs/checksum.js';
import {writeOutput} from '../outputs/write.js';
import {readText} from '../inputs/read-text.js';
import {commandLine} from '../system/program-name.js';

/**
Reads a baseline.

@throws {TestbedError} INPUT if it cannot be read, is not a baseline, is damaged, or has a newer version.
*/
export function loadBaseline(file: string): Baseline {
	const baseline = read(file);
	const {rules: {backend, families, ruleSet, sha256}} = baseline;
	if (checksumOf({backend, families, ruleSet}) !== sha256) {
		throw damaged(file, 'This baseline is damaged: the checksum of "ruleText" is not "rules.sha256", so the classes may belong to other rules.');
	}

	return baseline;
}

function read(file: string): Baseline {
	try {
		return parseBaseline(readText({file, what: 'The baseline', hint: commandLine(`baseline create --output ${quote(file)}`)}));
	} catch (error) {
		if (error instanceof InputError) {
			throw damaged(file, error.message, error);
		}

		throw error;
	}
}

function damaged(file: string, message: string, cause?: unknown): TestbedError {
	return new TestbedError('INPUT', {message: `${file}: ${message}`, state: 'Nothing was sent.', ...(cause === undefined ? {} : {cause})});
}

/**
Writes a baseline atomically.

@throws {TestbedError} INPUT if it cannot be written.
*/
export async function saveBaseline(file: string, baseline: Baseline): Promise<void> {
	await writeOutput(file, printBaseline(baseline), {what: 'The baseline', state: 'The new baseline is lost; the old file is unchanged.'});
}
