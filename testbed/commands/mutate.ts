/**
`testbed mutate`: whether the tests of a rule set notice that something is wrong with it.
*/

import process from 'node:process';
import {mutantsOf} from '../../src/classes/mutants.js';
import {completeCases} from '../../src/classes/mutation.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {mutationToJson} from '../../src/report/mutation-json.js';
import {resultsOfMutation} from '../../src/report/mutation-results.js';
import {printMutation} from '../../src/report/mutation-text.js';
import {exitCodeOfMutation} from '../../src/report/mutation-types.js';
import {printRules} from '../../src/report/rules-text.js';
import {TestbedError} from '../errors.js';
import {mutateInput} from '../mutate.js';
import {
	fileAsCases, shippedAsCases, typesAsCases, type CaseOptions, type CaseSet,
} from '../mutation-cases.js';
import type {RuleInput} from '../options.js';
import {defaultInput, loadRuleInput} from '../rule-input.js';
import {namesScenario, type CredentialsOf} from '../scenario-run.js';
import type {Format} from './arguments.js';
import {wantsColour} from './colour.js';
import {writeFormatted} from './formatted.js';
import {usualCredentials} from './probe.js';
import {Progress} from './progress.js';
import {untilSignal} from './run.js';
import {writeOut} from './stdout.js';

/** The options as the command line gives them. */
export type MutateFlags = {
	readonly rules6?: string;
	readonly backend?: readonly Backend[];
	readonly family: readonly AddressFamily[];
	readonly dnsServers?: readonly string[];
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly cases: readonly string[];
	readonly print?: number;
	readonly format: Format;
	readonly output?: string;
	readonly verbose?: boolean;
	readonly lanes: number;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/** The cases that have names of their own. */
export const namedCases = ['types', 'scenarios', completeCases] as const;

/**
Tries all mutants and prints what came of them; returns the exit status.

@throws {TestbedError} USAGE or INPUT for rules or cases that cannot be had, RULES_REJECTED when the kernel refuses the rules as they are.
*/
export async function mutateCommand(source: string | undefined, flags: MutateFlags): Promise<number> {
	const input = loadInput(source ?? defaultInput, flags);
	if (flags.print !== undefined) {
		await writeOut(printMutant(input, flags.print, flags.family));
		return 0;
	}

	return untilSignal(async signal => {
		using progress = new Progress(text => {
			process.stderr.write(text);
		});
		const credentialsOf: CredentialsOf = (intent, known) => usualCredentials(flags, intent, known);
		const options: CaseOptions = {
			families: flags.family,
			credentials: credentialsOf(input.intent, input.proxy),
			timeoutMs: flags.timeout,
			traceBufferBytes: flags.traceBuffer,
			keep: false,
			signal,
			onStage: () => undefined,
		};
		const report = await mutateInput({
			...options,
			input,
			cases: casesOf(flags.cases, input, {options, credentialsOf}),
			isCompleteChosen: flags.cases.includes(completeCases),
			lanes: flags.lanes,
			onStage(stage) {
				progress.stage(stage);
			},
		});
		await writeFormatted({
			text: () => printMutation(report, {
				colour: wantsColour({isTerminal: flags.output === undefined && process.stdout.isTTY, environment: process.env}),
				verbose: flags.verbose === true,
				width: Math.max(60, Math.min(process.stdout.columns ?? 80, 100)),
			}),
			json: () => mutationToJson(report),
			results: () => resultsOfMutation(report),
		}, flags);
		return exitCodeOfMutation(report);
	});
}

/** Rules of iptables that the testbed writes itself come with both families, so that scenarios of both can play; only those of the families asked for are changed. */
function loadInput(source: string, {family, backend, rules6, dnsServers}: MutateFlags): RuleInput {
	const [only, ...others] = backend ?? [];
	if (others.length > 0) {
		throw new TestbedError('USAGE', {message: `Mutants are of one rule set, and --backend names ${others.length + 1} back ends.`, hint: 'Name one of them.'});
	}

	const isWritten = /^(?:release|pod):|^[A-Za-z_]\w*=/u.test(source) && only !== 'nftables';
	const load = (families: readonly AddressFamily[]): RuleInput => loadRuleInput({
		source, source6: rules6, families, dnsServers, ...(only === undefined ? {} : {backend: only}),
	});
	const input = load(isWritten ? ['ipv4', 'ipv6'] : family);
	// An option in the input can choose the back end as well, and native tables hold both families.
	return isWritten && input.backend === 'nftables' ? load(family) : input;
}

function casesOf(names: readonly string[], input: RuleInput, request: {readonly options: CaseOptions; readonly credentialsOf: CredentialsOf}): readonly CaseSet[] {
	const {options, credentialsOf} = request;
	return names.filter(name => name !== completeCases).map(name => {
		if (name === 'types') {
			return typesAsCases(input, options);
		}

		if (name === 'scenarios') {
			return shippedAsCases(input, options, credentialsOf);
		}

		if (!namesScenario(name)) {
			throw new TestbedError('USAGE', {message: `There are no cases "${name}".`, hint: `Choose from ${namedCases.join(', ')}, or name a scenario file (.yaml, .yml, .json) or a folder of them.`});
		}

		return fileAsCases(name, input, request);
	});
}

/** One mutant as its program reads it. */
function printMutant(input: RuleInput, id: number, families: readonly AddressFamily[]): string {
	const {mutants} = mutantsOf(input.ruleSet, families);
	const mutant = mutants.find(candidate => candidate.id === id);
	if (mutant === undefined) {
		throw new TestbedError('USAGE', {message: `There is no mutant ${id} of ${input.source}.`, hint: mutants.length === 0 ? 'It has no rule to change.' : `They have the numbers 1 to ${mutants.length}.`});
	}

	const own = families.filter(family => mutant.family === 'inet' || (mutant.family === 'ip') === (family === 'ipv4'));
	return printRules({
		backend: input.backend, families: own, ruleSet: mutant.ruleSet, routing: input.routing,
	});
}
