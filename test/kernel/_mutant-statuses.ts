/**
The results of the types with broken rules, as short data for tables.
*/

import type {Role} from '../../src/mesh/roles.js';
import type {Cause} from '../../src/judge/outcome.js';
import {printLegEnd, type RuleHit} from '../../src/netfilter/path.js';
import {defaultTypeIds} from '../../src/istio/traffic/six-types.js';
import type {TypeId} from '../../src/mesh/traffic.js';
import type {Report, TypeResult} from '../../src/report/run/types.js';

/** The result of a type in short: the kinds of difference, the rule that decided, the role that was expected, and why its rule did not decide. */
export type MutantStatus =
	| 'pass'
	| {
		readonly as: 'loop' | 'stop' | 'rule';
		/** Where it ended: a listener that accepted, or how it ended. */
		readonly stops: string;
		/** The rule that decided; null if none matched. */
		readonly by: string | null;
		readonly wanted: Role | null;
		readonly because: readonly string[];
	};

/** A rule by its place. */
export function nameOf({table, chain, number}: Pick<RuleHit, 'table' | 'chain' | 'number'>): string {
	return `${table === 'nat' ? '' : `${table}:`}${chain}#${number}`;
}

function reasonOf(cause: Cause): string {
	switch (cause.kind) {
		case 'earlier': {
			return `${nameOf(cause.rule)} earlier than ${nameOf(cause.before)}`;
		}

		case 'not-matched':
		case 'not-reached': {
			return `${nameOf(cause.rule)} ${cause.kind}`;
		}

		case 'missing':
		case 'same-stops': {
			return cause.kind;
		}
	}
}

function mutantStatusOf({outcome, legs, loop}: TypeResult): MutantStatus | string {
	if (outcome.kind !== 'fail') {
		return outcome.kind;
	}

	const [first] = outcome.differences;
	if (first === undefined || !('rule' in first)) {
		return `fails first by ${first?.kind}`;
	}

	const ends = legs.map(({end}) => printLegEnd(end));
	return {
		as: first.kind,
		stops: loop ? `${first.kind === 'loop' ? first.stop : ''} again and again` : ends.join(' → '),
		by: first.rule === null ? null : nameOf(first.rule),
		wanted: first.expectedRole,
		because: first.causes.map(cause => reasonOf(cause)),
	};
}

/** Results by type. */
export type MutantStatuses = Partial<Record<TypeId, MutantStatus>>;

/** The result of each type of a report. */
export function mutantStatusesOf(report: Report): Readonly<Record<string, MutantStatus | string>> {
	return Object.fromEntries(report.types.map(result => [result.id, mutantStatusOf(result)]));
}

/** All types that are not named pass. */
export function whole(mutantStatuses: MutantStatuses, ids: readonly TypeId[] = defaultTypeIds): Readonly<Record<string, MutantStatus>> {
	return Object.fromEntries(ids.map(id => [id, mutantStatuses[id] ?? 'pass']));
}
