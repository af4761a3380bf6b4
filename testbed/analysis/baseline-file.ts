/**
Baselines on disk.
*/

import type {Baseline} from '../../src/baseline/baseline.js';
import {parseBaseline, printBaseline} from '../../src/baseline/file.js';
import {InputError} from '../../src/parsing/input-error.js';
import {TestbedError} from '../errors.js';
import {checksumOf} from '../inputs/checksum.js';
import {writeOutput} from '../outputs/write.js';
import {readText} from '../inputs/read-text.js';

/**
Reads a baseline.

@throws {TestbedError} INPUT when it cannot be read, is none, is damaged, or is of a newer version.
*/
export function loadBaseline(file: string): Baseline {
	const baseline = read(file);
	const {rules: {backend, families, ruleSet, sha256}} = baseline;
	if (checksumOf({backend, families, ruleSet}) !== sha256) {
		throw damaged(file, 'This baseline is damaged: "ruleText" does not have the checksum that "rules.sha256" says, so the classes are not of these rules.');
	}

	return baseline;
}

function read(file: string): Baseline {
	try {
		return parseBaseline(readText({file, what: 'The baseline', hint: `testbed baseline create --output ${file}`}));
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
Writes a baseline, whole or not at all.

@throws {TestbedError} INPUT when it cannot be written.
*/
export async function saveBaseline(file: string, baseline: Baseline): Promise<void> {
	await writeOutput(file, printBaseline(baseline), {what: 'The baseline', state: 'What was recorded is lost; what stood there still stands.'});
}
