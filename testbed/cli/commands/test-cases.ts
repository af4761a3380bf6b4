/**
Test cases as the command line names them, and the rules they run against.
*/

import {languageOf} from '../../../src/netfilter/backends.js';
import {isPerFamily} from '../../../src/netfilter/rule-texts.js';
import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import {TestbedError} from '../../errors.js';
import {
	fileAsCases, shippedAsCases, typesAsCases, type CaseOptions, type CaseRequest, type CaseSet,
} from '../../analysis/test-cases.js';
import type {RuleInput} from '../../inputs/types.js';
import {fullSource, kindOfSource} from '../../inputs/source.js';
import {argumentOptions} from '../../inputs/request.js';
import {loadRuleInput} from '../../inputs/rules.js';
import {doAll} from '../../inputs/many-faults.js';
import {namesScenario} from '../../inputs/scenario-words.js';
import type {CredentialsOf} from '../../inputs/scenarios.js';
import type {PrintFlags} from '../output/destinations.js';
import {usualCredentials} from '../../inputs/credentials.js';

/** The sets of cases that have names. */
export const namedCases = ['types', 'scenarios', 'complete'] as const;

/** The options that select the rules. */
export type InputFlags = {
	readonly rules6?: string; readonly backend?: readonly Backend[]; readonly family: readonly AddressFamily[]; readonly dnsServers?: readonly string[];
	readonly allowModules?: boolean;
};

/**
Loads the rules. Generated iptables rules are loaded with both families, so that scenarios of either can run; only the requested families are tested.

@throws {TestbedError} USAGE for more than one back end, and as {@link loadRuleInput}.
*/
export function loadCasesInput(given: string, {family, backend, rules6, dnsServers, allowModules}: InputFlags): RuleInput {
	const [only, ...others] = backend ?? [];
	if (others.length > 0) {
		throw new TestbedError('USAGE', {message: `This command takes one back end, but --backend names ${others.length + 1}.`, hint: 'Name one of them.'});
	}

	const {source} = fullSource(given);
	const isWritten = ['release', 'pod'].includes(kindOfSource(source)) && (only === undefined || isPerFamily(languageOf(only)));
	const load = (families: readonly AddressFamily[]): RuleInput => loadRuleInput({
		source, source6: rules6, options: argumentOptions, families, dnsServers, allowModules, ...(only === undefined ? {} : {backend: only}),
	});
	const input = load(isWritten ? ['ipv4', 'ipv6'] : family);
	// An option in the input can select the back end as well, and native nftables tables hold both families.
	return isWritten && !isPerFamily(languageOf(input.backend)) ? load(family) : input;
}

/**
The cases by their names and files. `complete` is left out: it sends no traffic of its own.

@throws {TestbedError} USAGE for a word that names no cases, INPUT for a file that cannot be used.
*/
export function casesOf(names: readonly string[], input: RuleInput, request: CaseRequest): readonly CaseSet[] {
	const {options, credentialsOf} = request;
	return doAll(names.filter(name => name !== 'complete').map(name => () => {
		if (name === 'types') {
			return typesAsCases(input, options);
		}

		if (name === 'scenarios') {
			return shippedAsCases(input, options, credentialsOf);
		}

		if (!namesScenario(name)) {
			throw new TestbedError('USAGE', {message: `There are no cases named "${name}".`, hint: `Choose from ${namedCases.join(', ')}, or name a scenario file (.yaml, .yml, .json) or a folder of them.`});
		}

		return fileAsCases(name, input, request);
	}), {heading: failed => `${failed} of ${names.length} sets of cases cannot be run:`});
}

/** The options of commands that run test cases. */
export type CaseFlags = InputFlags & PrintFlags & {
	readonly allowOutside?: boolean;
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly cases: readonly string[];
	readonly jobs: number;
	readonly limit: number;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/** The test cases of a command line, and how to run them. */
export function caseOptionsOf(flags: CaseFlags, input: RuleInput, signal: AbortSignal): {readonly options: CaseOptions; readonly cases: readonly CaseSet[]} {
	const credentialsOf: CredentialsOf = (intent, known) => usualCredentials(flags, intent, known);
	const options: CaseOptions = {
		families: flags.family,
		credentials: credentialsOf(input.intent, input),
		timeoutMs: flags.timeout,
		traceBufferBytes: flags.traceBuffer,
		signal,
		onProgress: () => undefined,
	};
	return {options, cases: casesOf(flags.cases, input, {options, credentialsOf, permissions: {allowOutside: flags.allowOutside, allowModules: flags.allowModules}})};
}
