/**
`testbed mutate`: whether the tests of a rule set notice that something is wrong with it.
*/

import {mutantsOf} from '../../../src/mutation/mutants.js';
import {completeCases} from '../../../src/mutation/status.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import {mutationToJson} from '../../../src/report/mutation/json.js';
import {resultsOfMutation} from '../../../src/report/mutation/results.js';
import {printMutation} from '../../../src/report/mutation/text.js';
import {exitStatusOfMutation} from '../../../src/report/mutation/types.js';
import {printRules} from '../../../src/report/rules/text.js';
import {TestbedError} from '../../errors.js';
import {mutateInput} from '../../analysis/mutate.js';
import type {RuleInput} from '../../inputs/types.js';
import {defaultInput} from '../../inputs/request.js';
import {tell, writeOut} from '../../system/streams.js';
import {readerOf} from '../output/terminal.js';
import {writeFormatted} from '../output/write-report.js';
import {describeNotes} from '../output/notes.js';
import {caseInputs, checkOutputFlags, ruleFiles} from '../output/output-files.js';
import {supervise} from '../supervise.js';
import {rulesWithMesh} from '../../inputs/meshes.js';
import {loadCasesInput, caseOptionsOf, type CaseFlags} from './test-cases.js';

/** The options as the command line gives them. */
export type MutateFlags = CaseFlags & {
	readonly print?: number;
	readonly sample?: number;
};

/**
Tries all mutants and prints what came of them; returns the exit status.

@throws {TestbedError} USAGE or INPUT for rules or cases that cannot be had, RULES_REJECTED when the kernel refuses the rules as they are.
*/
export async function mutateCommand(source: string | undefined, flags: MutateFlags): Promise<number> {
	const input = loadCasesInput(source ?? defaultInput, flags);
	if (flags.print !== undefined) {
		tell(describeNotes(input));
		await writeOut(printMutant(input, flags.print, flags.family));
		return 0;
	}

	return supervise(async ({signal, onProgress}) => {
		const {options, cases} = caseOptionsOf(flags, input, signal);
		checkOutputFlags(flags, [...ruleFiles([['the input', source], ['--rules6', flags.rules6]]), ...caseInputs(cases)]);
		const report = await mutateInput({
			...options,
			input,
			cases,
			isCompleteChosen: flags.cases.includes(completeCases),
			jobs: flags.jobs,
			sample: flags.sample,
			onProgress,
		});
		await writeFormatted({
			text: () => printMutation(report, readerOf(flags)),
			json: () => mutationToJson(report),
			results: () => resultsOfMutation(report),
		}, flags);
		return exitStatusOfMutation(report);
	});
}

/** One mutant as its program reads it. */
function printMutant(input: RuleInput, id: number, families: readonly AddressFamily[]): string {
	const {mutants} = mutantsOf(rulesWithMesh(input), families);
	const mutant = mutants.find(candidate => candidate.id === id);
	if (mutant === undefined) {
		throw new TestbedError('USAGE', {message: `There is no mutant ${id} of ${input.source}.`, hint: mutants.length === 0 ? 'It has no rule that can be changed.' : `Mutants are numbered 1 to ${mutants.length}.`});
	}

	const own = families.filter(family => mutant.family === 'inet' || (mutant.family === 'ip') === (family === 'ipv4'));
	return printRules({
		backend: input.backend, families: own, ruleSet: mutant.ruleSet, routing: input.routing,
	});
}
