/**
Records what a rule set does for a baseline: all packet classes, and the connections of the six types and of scenarios.
*/

import {recordFamily, type Baseline} from '../../src/baseline/baseline.js';
import {closingOf} from '../../src/netfilter/path.js';
import type {ObservedCase} from '../../src/baseline/verify-cases.js';
import type {TypeResult} from '../../src/report/run/types.js';
import type {MeshRules} from '../../src/mesh/mesh.js';
import {defaultTypesOf} from '../../src/mesh/traffic-types.js';
import type {Gap} from '../../src/trace/gap.js';
import {loadEnvironment} from '../confinement/environment.js';
import type {ReadyScenario, RuleInput} from '../inputs/types.js';
import type {RunOptions} from '../run/options.js';
import {checksumOf} from '../inputs/checksum.js';
import {runTestbed} from '../run/run.js';
import {loadScenarios} from '../inputs/scenarios.js';
import {probeClasses, type ClassRunOptions} from './probe-classes.js';

/** Options of a recording. */
export type RecordOptions = Omit<ClassRunOptions, 'inputs' | 'alongside'> & {
	readonly rules: RuleInput;
	/** What else the input was read with. */
	readonly request: {readonly source6: string | undefined; readonly dnsServers: readonly string[] | undefined};
	/** Scenario files whose connections are sent through these rules, whatever rules they name. */
	readonly scenarios: readonly string[];
};

/** A recording. `lost` is missing evidence, because of which nothing may be saved; `unsent` are packets that cannot be sent. */
export type Recording = {readonly baseline: Baseline; readonly lost: readonly Gap[]; readonly unsent: readonly Gap[]};

/**
Sends everything and records the results.

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
			cases: observed.map(({gaps, shown, ...each}) => each),
		},
		lost: [...recorded.flatMap(({lost}) => lost), ...observed.flatMap(({gaps}) => gaps)],
		unsent: recorded.flatMap(({unsent}) => unsent),
	};
}

/**
The scenarios that are sent through some rules, whatever rules they name, with the file of each. Connections of other families are left out.

@throws {TestbedError} INPUT for a scenario that cannot be used.
*/
export function scenariosOf({rules, scenarios, families, credentials}: Pick<RecordOptions, 'rules' | 'scenarios' | 'families' | 'credentials'>): ReadonlyArray<{readonly of: string; readonly play: ReadyScenario}> {
	return loadScenarios(scenarios, {backends: undefined, credentialsOf: () => credentials, rules}).flatMap(one => one.prepared)
		.map(({play: ready}) => ({of: ready.file, play: {...ready, cases: ready.cases.filter(({probe}) => families.includes(probe.family))}}))
		.filter(({play: {cases}}) => cases.length > 0);
}

/**
Runs the six types and scenarios through one rule set, one after the other.

@throws {TestbedError} INPUT for a scenario, and everything that a run throws.
*/
export async function runCases({rules, scenarios, families, credentials, timeoutMs, traceBufferBytes, signal, onProgress}: Omit<RecordOptions, 'request'>): Promise<readonly ObservedCase[]> {
	const shared: Omit<RunOptions, 'types'> = {
		rules, families, credentials, timeoutMs, traceBufferBytes, signal, onProgress,
	};
	const prepared = scenariosOf({
		rules, scenarios, families, credentials,
	});
	const seen: ObservedCase[] = [];
	const note = async (of: string, options: RunOptions): Promise<void> => {
		const {report} = await runTestbed(options);
		seen.push(...report.types.map(result => observedCase(of, result, report.loaded!.rules)));
	};

	await note('types', {...shared, types: defaultTypesOf(rules.mesh.traffic)});
	for (const {of, play: run} of prepared) {
		await note(of, { // eslint-disable-line no-await-in-loop -- Each has its own sandbox.
			...shared, types: [], scenario: run, families: [...new Set(run.cases.map(({probe}) => probe.family))],
		});
	}

	return seen;
}

function observedCase(of: string, {id, name, family, legs, loop, decidingRoles, outcome, gaps}: TypeResult, ruleSet: MeshRules): ObservedCase {
	return {
		of,
		id,
		name,
		family,
		// The ends of the legs, without rule numbers, which may change.
		stops: [...legs.map(({end}) => end.kind === 'accepted' ? end.stop : end.kind), ...(legs.some(leg => closingOf(leg) !== undefined) ? ['closed'] : []), ...(loop ? ['loop'] : [])],
		roles: decidingRoles,
		gaps: outcome.kind === 'inconclusive' ? outcome.reasons : gaps,
		shown: {ruleSet, probeResult: {legs, isLoop: loop, gaps}},
	};
}
