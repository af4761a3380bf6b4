/**
What a rule set does, for a baseline: all packet classes, and the connections of the six types and of scenarios.
*/

import {recordFamily, type Baseline} from '../../src/baseline/baseline.js';
import type {ObservedCase} from '../../src/baseline/verify-cases.js';
import type {TypeResult} from '../../src/report/run/types.js';
import {defaultTypeIds} from '../../src/scenario/six-types.js';
import type {Gap} from '../../src/trace/gap.js';
import {loadEnvironment} from '../system/environment.js';
import type {RuleInput} from '../inputs/types.js';
import type {RunOptions} from '../run/options.js';
import {checksumOf} from '../inputs/checksum.js';
import {runTestbed} from '../run/run.js';
import {loadScenario} from '../inputs/scenarios.js';
import {probeClasses, type ClassRunOptions} from './probe-classes.js';

/** What decides a recording. */
export type RecordOptions = Omit<ClassRunOptions, 'inputs' | 'alongside'> & {
	readonly rules: RuleInput;
	/** What else the input was read with. */
	readonly request: {readonly source6: string | undefined; readonly dnsServers: readonly string[] | undefined};
	/** Files whose connections go through these rules, whatever rules they name. */
	readonly scenarios: readonly string[];
};

/** A recording. `lost` is evidence that is missing, so that nothing may be kept; `unsent` are packets that nobody can send. */
export type Recording = {readonly baseline: Baseline; readonly lost: readonly Gap[]; readonly unsent: readonly Gap[]};

/**
Sends everything and notes what became of it.

@throws {TestbedError} as {@link probeClasses} and a run.
*/
export async function recordBaseline({rules, request, scenarios, ...options}: RecordOptions): Promise<Recording> {
	const {families, credentials} = options;
	const probed = await probeClasses({...options, inputs: [rules]});
	const [observed, environment] = await Promise.all([runCases({rules, scenarios, ...options}), loadEnvironment(rules.backend)]);
	const recorded = probed.map(({classSet, representatives, sides}) => recordFamily({classSet, representatives, side: sides[0]!}));
	const {ruleSet} = probed[0]!.sides[0]!;
	return {
		baseline: {
			environment,
			rules: {
				source: rules.source,
				source6: request.source6 ?? null,
				dnsServers: request.dnsServers ?? null,
				release: rules.release,
				backend: rules.backend,
				sha256: checksumOf({backend: rules.backend, families, ruleSet}),
				families,
				markRules: rules.routing.markRules,
				ruleSet,
			},
			proxy: credentials.proxy,
			classes: recorded.flatMap(({classes}) => classes),
			cases: observed.map(({gaps, ...each}) => each),
		},
		lost: [...recorded.flatMap(({lost}) => lost), ...observed.flatMap(({gaps}) => gaps)],
		unsent: recorded.flatMap(({unsent}) => unsent),
	};
}

/**
Plays the six types and scenarios through one rule set, one after the other.

@throws {TestbedError} INPUT for a scenario, and all that a run throws.
*/
export async function runCases({rules, scenarios, families, credentials, timeoutMs, traceBufferBytes, signal, onProgress}: Omit<RecordOptions, 'request'>): Promise<readonly ObservedCase[]> {
	const shared: Omit<RunOptions, 'types'> = {
		rules, families, credentials, timeoutMs, traceBufferBytes, keep: false, signal, onProgress,
	};
	const prepared = scenarios.flatMap(file => loadScenario(file, {backends: undefined, credentialsOf: () => credentials, rules}).prepared
		.map(({play: ready}) => ({of: file, play: {...ready, cases: ready.cases.filter(({probe}) => families.includes(probe.family))}}))
		.filter(({play: {cases}}) => cases.length > 0));
	const seen: ObservedCase[] = [];
	const note = async (of: string, options: RunOptions): Promise<void> => {
		const {report} = await runTestbed(options);
		seen.push(...report.types.map(result => observedCase(of, result)));
	};

	await note('types', {...shared, types: defaultTypeIds});
	for (const {of, play: run} of prepared) {
		await note(of, { // eslint-disable-line no-await-in-loop -- Each has a sandbox of its own.
			...shared, types: [], scenario: run, families: [...new Set(run.cases.map(({probe}) => probe.family))],
		});
	}

	return seen;
}

function observedCase(of: string, {id, name, family, legs, loop, decidingRoles, outcome, gaps}: TypeResult): ObservedCase {
	return {
		of,
		id,
		name,
		family,
		// How a connection ended without a rule's number, which may change.
		stops: [...legs.map(({end}) => end.kind === 'accepted' ? end.stop : end.kind), ...(loop ? ['loop'] : [])],
		roles: decidingRoles,
		gaps: outcome.kind === 'inconclusive' ? outcome.reasons : gaps,
	};
}
