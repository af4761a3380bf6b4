/**
Checks all output files of a command before anything is run: that they can be written, and that none is also an input or another output.
*/

import {TestbedError} from '../errors.js';
import {identityOf, identityOfInput, targetOf} from './target.js';
import {cannotWrite, complaintOf} from './write.js';

/** An output: `name` is its option, `what` is what is written there. `isLenient`: if it cannot be written, the run still takes place and the error is reported afterwards. */
export type CheckedOutput = {readonly name: string; readonly what: string; readonly file: string; readonly isLenient?: boolean};

/** A file that the command reads; `-` is standard input. */
export type CheckedInput = {readonly name: string; readonly file: string};

const state = 'Nothing was run.';

/**
Checks that outputs can be written, as far as can be told, and overwrite no input or other output.

@throws {TestbedError} INPUT for one that cannot be written, USAGE for one that is an input or another output, even by a different name.
*/
export function checkOutputs(outputs: readonly CheckedOutput[], inputs: readonly CheckedInput[]): void {
	const taken = new Map<string, string>();
	for (const {name, what, file, isLenient = false} of outputs) {
		if (file === '') {
			throw new TestbedError('USAGE', {message: `${name} is empty (an unset variable?).`, state});
		}

		const target = targetOf(file);
		const complaint = complaintOf(target);
		if (complaint !== undefined && !isLenient) {
			throw cannotWrite(file, complaint, {what, state});
		}

		const identity = identityOf(target);
		if (identity === undefined) {
			continue;
		}

		const other = taken.get(identity);
		if (other !== undefined) {
			throw new TestbedError('USAGE', {message: `${name} and ${other} are the same file: ${file}.`, state, hint: 'Use a different file for each.'});
		}

		taken.set(identity, name);
		const input = inputs.find(one => identityOfInput(one.file) === identity);
		if (input !== undefined) {
			throw new TestbedError('USAGE', {message: `${name} would overwrite the file that ${input.name} reads: ${file}.`, state, hint: 'Use another file for the output.'});
		}
	}
}
