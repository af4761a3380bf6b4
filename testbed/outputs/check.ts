/**
Looks at all output files of a command before anything is run: whether they can be written, and that none is an input or another output.
*/

import {TestbedError} from '../errors.js';
import {identityOf, identityOfInput, targetOf} from './target.js';
import {cannotWrite, complaintOf} from './write.js';

/** An output: `name` is its option, `what` what is written there. `isLenient`: it is worth running even if this one cannot be written, so that is told afterwards. */
export type CheckedOutput = {readonly name: string; readonly what: string; readonly file: string; readonly isLenient?: boolean};

/** A file that the command reads; `-` is standard input. */
export type CheckedInput = {readonly name: string; readonly file: string};

const state = 'Nothing was run.';

/**
Sees to it that outputs can be written, as far as can be told, and spoil nothing.

@throws {TestbedError} INPUT for one that cannot be written, USAGE for one that is an input or another output, whatever names lead there.
*/
export function checkOutputs(outputs: readonly CheckedOutput[], inputs: readonly CheckedInput[]): void {
	const taken = new Map<string, string>();
	for (const {name, what, file, isLenient = false} of outputs) {
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
			throw new TestbedError('USAGE', {message: `${name} and ${other} are the same file: ${file}.`, state, hint: 'Give each a file of its own.'});
		}

		taken.set(identity, name);
		const input = inputs.find(one => identityOfInput(one.file) === identity);
		if (input !== undefined) {
			throw new TestbedError('USAGE', {message: `${name} would overwrite what ${input.name} reads: ${file}.`, state, hint: 'Name another file for the output.'});
		}
	}
}
