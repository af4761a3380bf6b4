/**
The answer to one probe as plain data, which all its printers print.
*/

import {exitStatus, tallyOf, type ExitStatus} from '../../judge/exit-status.js';
import type {Contradiction, LegExplanation} from '../../judge/explain/explain-leg.js';
import {fieldList, type ProbeSpec} from '../../scenario/probe-spec.js';
import type {Credentials} from '../../mesh/traffic.js';
import type {MeshRules} from '../../mesh/mesh.js';
import type {Environment, RulesSummary} from '../shared-types.js';
import type {TypeResult} from '../run/types.js';

/** The question, with the sender's user and group filled in. A single probe has neither an id nor a port of its own. */
export type ProbeQuestion = Omit<ProbeSpec, 'id' | 'uid' | 'gid' | 'sourcePort' | 'packet'> & {readonly credentials: Credentials};

/** The optional fields of a question, with what a report prints before their values. */
export const labeledFields = fieldList.flatMap(({name, label, values}) => label === null ? [] : [{name: name as keyof ProbeQuestion, label, values}]);

/** What the kernel did, and why, according to the rules. */
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
	/** The rules as installed in the kernel, for drawings. Not part of any document. */
	readonly loaded?: MeshRules;
};

/** Where the model of the rules and the kernel disagree, with the leg, counted from 0. */
export function contradictionsOf({explanations}: Pick<ProbeReport, 'explanations'>): ReadonlyArray<{readonly leg: number; readonly contradiction: Contradiction}> {
	return explanations.flatMap(({contradictions}, leg) => contradictions.map(contradiction => ({leg, contradiction})));
}

/** 0: the kernel answered. 3: the evidence has a gap, or there is none. */
export function exitStatusOfProbe({gaps, legs}: Pick<ProbeReport, 'gaps' | 'legs'>): ExitStatus {
	return exitStatus(tallyOf(gaps.length === 0 && legs.length > 0 ? 'passed' : 'inconclusive'));
}
