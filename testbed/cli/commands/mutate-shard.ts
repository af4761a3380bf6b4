/**
One shard of `testbed mutate`: some of the mutants, and a file with the result of each.
*/

import type {ReportedMutant} from '../../../src/mutation/status.js';
import type {Mutant} from '../../../src/mutation/mutants.js';
import {describeMutant} from '../../../src/report/mutation/describe.js';
import {exitStatusOfMutation, type MutationReport} from '../../../src/report/mutation/types.js';
import {mutantsToTry, mutateInput, type MutateOptions} from '../../analysis/mutate.js';
import {TestbedError} from '../../errors.js';
import {cutWork} from '../../shards/work.js';
import type {ShardRequest} from '../../shards/request.js';
import {createEncoder} from '../../shards/values.js';
import {version} from '../version.js';
import {askedOptions} from './shard-flags.js';

/** What the report of all shards says apart from the mutants. */
export type MutateFrame = Omit<MutationReport, 'results'>;

/**
Tries the mutants of one shard, prints their report, writes the file, and returns the exit status: that of its own mutants, 0 if it has none.

@throws {TestbedError} INPUT if there is no mutant at all, and as {@link mutateInput}.
*/
export async function mutateShard(options: MutateOptions, request: ShardRequest, {source, flags, print}: {
	readonly source: string; readonly flags: Readonly<Record<string, unknown>>; readonly print: (report: MutationReport) => Promise<void>;
}): Promise<number> {
	const startedAt = performance.now();
	const {input, families, cases, credentials} = options;
	const {mutants} = mutantsToTry(options);
	if (mutants.length === 0) {
		throw new TestbedError('INPUT', {message: `${input.source} has no rule that can be mutated, so there is nothing to cut.`, state: 'Nothing was run.', hint: 'Omit --shard-output.'});
	}

	const reported = mutants.map(mutant => withoutRules(mutant));
	const {release, mesh, backend, ruleSet, routing, intent} = input;
	const work = cutWork({
		program: version,
		command: 'mutate',
		operands: [source],
		options: askedOptions(flags),
		pieces: reported.map(mutant => ({name: `${mutant.id} ${mutant.family} ${describeMutant(mutant)}`, about: mutant})),
		read: [
			release, mesh, backend, ruleSet, routing, intent, families, credentials,
			cases.map(({name, leftOut, runs}) => [name, leftOut, runs.map(({types, scenario}) => [types, scenario?.name, scenario?.cases, scenario?.actorSet, scenario?.extension])]),
		],
	}, request);
	if (work.own.length === 0) {
		await work.write({frame: null, durationMs: Math.round(performance.now() - startedAt), results: []});
		return 0;
	}

	let times: readonly number[] = [];
	const report = await mutateInput({
		...options,
		places: work.own,
		onTimes(given) {
			times = given;
		},
	});
	await print(report);
	const encode = createEncoder();
	const {results, ...frame} = report;
	await work.write({
		frame: encode(frame satisfies MutateFrame),
		durationMs: Math.round(performance.now() - startedAt),
		results: results.map(({mutantStatus, detections}, index) => ({ms: Math.round(times[index]!), result: encode({mutantStatus, detections})})),
	});
	return exitStatusOfMutation(report);
}

/** A mutant without its rules: they would be made only to be thrown away. */
function withoutRules({
	id, family, kind, place, role, text, isEdited, rule,
}: Mutant): ReportedMutant {
	return {
		id, family, kind, place, role, text, isEdited, rule: {text: rule.text},
	};
}
