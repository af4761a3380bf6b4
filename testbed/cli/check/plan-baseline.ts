/**
What `testbed baseline create` and `testbed baseline check` would do.
*/

import type {Baseline} from '../../../src/baseline/baseline.js';
import {defaultTopology} from '../../../src/mesh/topology.js';
import type {ActorCredentials} from '../../../src/mesh/traffic.js';
import {defaultTypesOf} from '../../../src/mesh/traffic-types.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import {programOf} from '../../analysis/probe-classes.js';
import {scenariosOf} from '../../analysis/record-baseline.js';
import {recordedProgram} from '../../analysis/verify-baseline.js';
import type {RuleInput} from '../../inputs/types.js';
import {loadScenarios} from '../../inputs/scenarios.js';
import {usualCredentials} from '../../inputs/credentials.js';
import {casesOf, questionOf} from '../../run/report.js';
import type {Checks} from './checks.js';
import {rowsOfClasses} from './classes.js';
import {
	endCheck, namesOf, rowsOfRules, unreadPod,
} from './plan.js';

/** What was read so far. `credentials` are known if the rules are. */
export type BaselineCheck = {
	readonly command: string;
	readonly source: string;
	readonly isUnread: boolean;
	readonly families: readonly AddressFamily[];
	readonly scenarios: readonly string[];
	readonly credentials: ActorCredentials | undefined;
	readonly limit: number;
	readonly checks: Checks;
	/** What the rules are checked against. */
	readonly baseline?: Baseline | undefined;
};

/**
Counts classes and connections, prints the plan, and returns the exit status.

@throws {TestbedError} All faults.
*/
export async function checkBaselineCases(rules: RuleInput | undefined, {command, source, isUnread, families, scenarios, credentials, limit, checks, baseline}: BaselineCheck): Promise<number> {
	const ready = rules === undefined || credentials === undefined
		? undefined
		: checks.do(() => scenariosOf({
			rules, scenarios, families, credentials,
		}));
	if (rules === undefined) {
		// Through which rules they go is not known, but their own faults are.
		checks.do(() => loadScenarios(scenarios, {backends: undefined, credentialsOf: (intent, known) => usualCredentials({}, intent, known), isForCheck: true}));
	}

	const classes = rules === undefined
		? []
		: await checks.wait(async () => rowsOfClasses({
			families, programs: family => [...(baseline === undefined ? [] : [recordedProgram(baseline, family)]), programOf(rules, family)], limit,
		}));
	checks.end();
	const hasCases = baseline === undefined || baseline.cases.length > 0;
	const connections = (ready ?? []).reduce((sum, {play: {cases}}) => sum + cases.length, 0) + (rules === undefined || credentials === undefined
		? 0
		: casesOf(questionOf({
			rules, families, credentials, types: defaultTypesOf(rules.mesh.traffic),
		}, defaultTopology)).length);
	return endCheck({
		command,
		rows: [
			...(baseline === undefined ? [] : [['baseline', `${baseline.classes.length} classes and ${baseline.cases.length} connections of ${baseline.rules.source}, ${baseline.rules.backend}`] as const]),
			...(rules === undefined ? [['rule sets', `1: ${source}`] as const, ['families', namesOf(families)] as const] : rowsOfRules([rules], families)),
			...(rules === undefined || !hasCases ? [] : [['connections', String(connections)] as const]),
			...classes!,
		],
		inputs: rules === undefined ? [] : [rules],
		unknown: isUnread ? [unreadPod(source)] : [],
	});
}
