/**
A round of `run --watch`: which of its runs have to be done.
*/

import {TestbedError} from '../../errors.js';
import type {RunOptions} from '../../run/options.js';
import {commandLine} from '../../system/program-name.js';
import type {Rounds} from '../watch/rounds.js';
import {whatDecides} from './run-shard.js';
import {nameOfSuite, type SelectedRuns} from './select-cases.js';
import type {MissingRun} from './run-entries.js';

/** How rounds tell runs apart: two scenario files may have one name. */
export function nameOfRun({rules: {source, backend}, scenario}: Pick<RunOptions, 'rules' | 'scenario'>): string {
	return `${scenario === undefined ? '' : `${scenario.file}, `}${source}, ${backend}`;
}

function nameOfMissing(run: MissingRun): string {
	return `not run: ${nameOfSuite(run)}`;
}

/**
The runs whose rules or questions have changed since they were done, and those that had no certain result; undefined if there are none.

@throws {TestbedError} USAGE for rules of a live pod, which a scenario may name.
*/
export function changedRuns({inputs, missing}: SelectedRuns, rounds: Rounds): SelectedRuns | undefined {
	const live = inputs.find(({rules}) => rules.live !== undefined)?.rules;
	if (live !== undefined) {
		throw new TestbedError('USAGE', {message: `${live.source} is a live pod: what it holds changes without a file, so --watch cannot see it.`, hint: `Save its rules to a file: ${commandLine(`rules ${live.source}`)}`});
	}

	const places = rounds.toDo([
		...inputs.map(options => ({name: nameOfRun(options), question: [whatDecides(options), options.timeoutMs, options.traceBufferBytes]})),
		...missing.map(run => ({name: nameOfMissing(run), question: run.reason})),
	]);
	const chosen: SelectedRuns = {
		inputs: places.flatMap(place => inputs[place] ?? []),
		missing: places.flatMap(place => missing[place - inputs.length] ?? []),
	};
	for (const run of chosen.missing) {
		rounds.note(nameOfMissing(run), {passed: 0, failed: 0, inconclusive: 0});
	}

	return chosen.inputs.length === 0 && chosen.missing.length === 0 ? undefined : chosen;
}
