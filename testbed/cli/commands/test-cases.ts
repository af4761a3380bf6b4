/**
Cases as a command line names them, and the rules that they are for.
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
import {loadRuleInput} from '../../inputs/rules.js';
import {namesScenario, type CredentialsOf} from '../../inputs/scenarios.js';
import type {Format} from '../parsers.js';
import {usualCredentials} from '../../inputs/credentials.js';

/** The cases that have names of their own. */
export const namedCases = ['types', 'scenarios', 'complete'] as const;

/** Which rules a command line names. */
export type InputFlags = {
	readonly rules6?: string; readonly backend?: readonly Backend[]; readonly family: readonly AddressFamily[]; readonly dnsServers?: readonly string[];
	readonly allowModules?: boolean;
};

/**
Rules of iptables that the testbed writes itself come with both families, so that scenarios of both can play; what is asked of them is of the families asked for.

@throws {TestbedError} USAGE for more than one back end, and as {@link loadRuleInput}.
*/
export function loadCasesInput(given: string, {family, backend, rules6, dnsServers, allowModules}: InputFlags): RuleInput {
	const [only, ...others] = backend ?? [];
	if (others.length > 0) {
		throw new TestbedError('USAGE', {message: `This command takes one back end, and --backend names ${others.length + 1}.`, hint: 'Name one of them.'});
	}

	const {source} = fullSource(given);
	const isWritten = ['release', 'pod'].includes(kindOfSource(source)) && (only === undefined || isPerFamily(languageOf(only)));
	const load = (families: readonly AddressFamily[]): RuleInput => loadRuleInput({
		source, source6: rules6, families, dnsServers, allowModules, ...(only === undefined ? {} : {backend: only}),
	});
	const input = load(isWritten ? ['ipv4', 'ipv6'] : family);
	// An option in the input can choose the back end as well, and native tables hold both families.
	return isWritten && !isPerFamily(languageOf(input.backend)) ? load(family) : input;
}

/**
The cases by their names and files; `complete` is none that plays.

@throws {TestbedError} USAGE for a word that names none, INPUT for a file that cannot be used.
*/
export function casesOf(names: readonly string[], input: RuleInput, request: CaseRequest): readonly CaseSet[] {
	const {options, credentialsOf} = request;
	return names.filter(name => name !== 'complete').map(name => {
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

/** What the command line says of playing. */
export type CaseFlags = InputFlags & {
	readonly allowOutside?: boolean;
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly cases: readonly string[];
	readonly format: Format;
	readonly output?: string;
	readonly verbose?: boolean;
	readonly jobs: number;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/** How the cases of a command line are played, and what is played. */
export function caseOptionsOf(flags: CaseFlags, input: RuleInput, signal: AbortSignal): {readonly options: CaseOptions; readonly cases: readonly CaseSet[]} {
	const credentialsOf: CredentialsOf = (intent, known) => usualCredentials(flags, intent, known);
	const options: CaseOptions = {
		families: flags.family,
		credentials: credentialsOf(input.intent, input.proxy),
		timeoutMs: flags.timeout,
		traceBufferBytes: flags.traceBuffer,
		keep: false,
		signal,
		onProgress: () => undefined,
	};
	return {options, cases: casesOf(flags.cases, input, {options, credentialsOf, permissions: {allowOutside: flags.allowOutside, allowModules: flags.allowModules}})};
}
