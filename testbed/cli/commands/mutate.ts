/**
`testbed mutate`: whether the tests of a rule set notice a defect in it.
*/

import {mutantsOf} from '../../../src/mutation/mutants.js';
import {completeCases} from '../../../src/mutation/status.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import {exitStatusOfMutation} from '../../../src/report/mutation/types.js';
import {printRules} from '../../../src/report/rules/text.js';
import {rulesOfMesh} from '../../../src/mesh/mesh.js';
import {TestbedError} from '../../errors.js';
import {mutantsToTry, mutateInput, type MutateOptions} from '../../analysis/mutate.js';
import type {RuleInput} from '../../inputs/types.js';
import {defaultInput} from '../../inputs/request.js';
import {tell, writeOut} from '../../system/streams.js';
import {writeMutation} from '../output/write-mutation.js';
import {describeNotes} from '../output/notes.js';
import {caseInputs, checkOutputFlags, ruleFiles} from '../output/output-files.js';
import type {ShardFlags} from '../../shards/request.js';
import {Checks, refuseWithCheck, type CheckFlags} from '../check/checks.js';
import {checkCases} from '../check/plan-cases.js';
import {endCheck} from '../check/plan.js';
import {supervise} from '../supervise.js';
import {mutateShard} from './mutate-shard.js';
import {shardFiles, shardOf} from './shard-flags.js';
import {loadCasesInput, caseOptionsOf, type CaseFlags} from './test-cases.js';

/** The options as the command line gives them. */
export type MutateFlags = CaseFlags & CheckFlags & ShardFlags & {
	readonly print?: number;
	readonly sample?: number;
};

/**
Tries all mutants and prints the results; returns the exit status.

@throws {TestbedError} USAGE or INPUT for rules or cases that cannot be loaded, RULES_REJECTED if the kernel rejects the original rules.
*/
export async function mutateCommand(source: string | undefined, flags: MutateFlags): Promise<number> {
	refuseWithCheck(flags, ['print']);
	if (flags.check === true) {
		return checkMutate(source, flags);
	}

	const shard = shardOf(flags, ['print']);
	const input = loadCasesInput(source ?? defaultInput, flags);
	if (flags.print !== undefined) {
		tell(describeNotes(input));
		await writeOut(printMutant(input, flags.print, flags.family));
		return 0;
	}

	return supervise(async ({signal, onProgress}) => {
		const {options, cases} = caseOptionsOf(flags, input, signal);
		const {inputs: read, outputs} = shardFiles(shard);
		checkOutputFlags(flags, [...ruleFiles([['the input', source], ['--rules6', flags.rules6]]), ...caseInputs(cases), ...read], outputs);
		const mutating: MutateOptions = {
			...options,
			input,
			cases,
			isCompleteChosen: flags.cases.includes(completeCases),
			jobs: flags.jobs,
			limit: flags.limit,
			sample: flags.sample,
			onProgress,
		};
		if (shard !== undefined) {
			return mutateShard(mutating, shard, {
				source: source ?? defaultInput,
				flags,
				async print(report) {
					await writeMutation(report, flags);
				},
			});
		}

		const report = await mutateInput(mutating);
		await writeMutation(report, flags);
		return exitStatusOfMutation(report);
	});
}

/**
Checks everything, and prints what would be tried.

@throws {TestbedError} The faults of the rules, the cases and the outputs.
*/
async function checkMutate(source: string | undefined, flags: MutateFlags): Promise<number> {
	const checks = new Checks(flags);
	const {input, rows, leftOut, unknown} = checkCases(source, flags, checks);
	checks.end();
	const {mutants, all} = input === undefined ? {mutants: [], all: 0} : mutantsToTry({input, families: flags.family, sample: flags.sample});
	return endCheck({
		command: 'mutate',
		rows: [...rows, ...(input === undefined ? [] : [['mutants', mutants.length < all ? `${mutants.length} of ${all}` : String(all)] as const])],
		leftOut,
		inputs: input === undefined ? [] : [input],
		unknown: [...unknown, 'How many probes compare each mutant with the original: that depends on both.'],
	});
}

/** One mutant as text for its restore program. */
function printMutant(input: RuleInput, id: number, families: readonly AddressFamily[]): string {
	const {mutants} = mutantsOf(rulesOfMesh(input.ruleSet, input.mesh), families);
	const mutant = mutants.find(candidate => candidate.id === id);
	if (mutant === undefined) {
		throw new TestbedError('USAGE', {message: `${input.source} has no mutant ${id}.`, hint: mutants.length === 0 ? 'It has no rule that can be changed.' : `Its mutants are numbered 1 to ${mutants.length}.`});
	}

	const own = families.filter(family => mutant.family === 'inet' || (mutant.family === 'ip') === (family === 'ipv4'));
	return printRules({
		backend: input.backend, families: own, ruleSet: mutant.ruleSet, routing: input.routing,
	});
}
