/**
The answer to one probe as plain data: what every printer of it prints.
*/

import {exitStatus, tallyOf, type ExitStatus} from '../../judge/exit-status.js';
import type {Contradiction, LegExplanation} from '../../judge/explain/explain-leg.js';
import {fieldList, type ProbeSpec} from '../../scenario/probe-spec.js';
import type {Credentials} from '../../scenario/types.js';
import type {Environment, RulesSummary} from '../shared-types.js';
import type {TypeResult} from '../run/types.js';

/** What was asked, with the user and group that the sender has by now. A single probe has neither an id nor a port of its own. */
export type ProbeQuestion = Omit<ProbeSpec, 'id' | 'uid' | 'gid' | 'sourcePort' | 'packet'> & {readonly credentials: Credentials};

/** The fields of a question that may be absent, with what a report writes before their values. */
export const labeledFields = fieldList.flatMap(({name, label, values}) => label === undefined ? [] : [{name: name as keyof ProbeQuestion, label, values}]);

/** What the kernel did, and why, by the rules. */
export type ProbeReport = Pick<TypeResult, 'actors' | 'legs' | 'loop' | 'gaps' | 'observedRoles'> & {
	readonly environment: Environment;
	readonly rules: RulesSummary;
	readonly question: ProbeQuestion;
	/** One for each leg. */
	readonly explanations: readonly LegExplanation[];
	/** Only the first leg was asked for; the others are left out. */
	readonly isFirstLegOnly: boolean;
	readonly hints: readonly string[];
	readonly durationMs: number;
};

/** Where our reading of the rules and the kernel differ, with the leg, counted from 0. */
export function contradictionsOf({explanations}: Pick<ProbeReport, 'explanations'>): ReadonlyArray<{readonly leg: number; readonly contradiction: Contradiction}> {
	return explanations.flatMap(({contradictions}, leg) => contradictions.map(contradiction => ({leg, contradiction})));
}

/** 0: the kernel has answered. 3: the evidence has a gap, or there is none. */
export function exitStatusOfProbe({gaps, legs}: Pick<ProbeReport, 'gaps' | 'legs'>): ExitStatus {
	return exitStatus(tallyOf(gaps.length === 0 && legs.length > 0 ? 'passed' : 'inconclusive'));
}
