/**
The results for the mutants of a rule set as plain data, which all printers print.
*/

import type {ExitStatus} from '../../judge/exit-status.js';
import type {AddressFamily} from '../../netfilter/types.js';
import {
	completeCases, detectionBy, exitStatusOfMutants, scoreOf, standingOf, type MutantResult, type Score, type Standing,
} from '../../mutation/status.js';
import type {Environment, Place, RulesSummary} from '../shared-types.js';

/** Cases that were chosen. `count`: how many of them pass with the original rules, and are therefore used. */
export type CaseSummary = {
	readonly name: string;
	readonly count: number;
	/** What was not used, one sentence each: scenarios for other rules, and cases that do not pass with the original rules. */
	readonly leftOut: readonly string[];
	readonly untrusted: readonly string[];
};

/** The whole result. */
export type MutationReport = {
	readonly environment: Environment;
	readonly rules: RulesSummary;
	readonly families: readonly AddressFamily[];
	readonly cases: readonly CaseSummary[];
	readonly results: readonly MutantResult[];
	/** Where the changed rules are in the user's file, by the number of the mutant. */
	readonly places: ReadonlyMap<number, Place>;
	/** Parts of rules that are never mutated because they are not understood. */
	readonly untouched: readonly string[];
	readonly hints: readonly string[];
	readonly durationMs: number;
};

/** A mutant with the results of the chosen cases. */
export type StandingResult = {readonly result: MutantResult; readonly standing: Standing};

/** The names of the chosen cases. */
export function chosenCases({cases}: Pick<MutationReport, 'cases'>): readonly string[] {
	return cases.map(({name}) => name);
}

/** All mutants with their standings. */
export function standingsOf(report: Pick<MutationReport, 'cases' | 'results'>): readonly StandingResult[] {
	const chosen = chosenCases(report);
	return report.results.map(result => ({result, standing: standingOf(result, chosen)}));
}

/** The scores of all chosen cases. The complete probes have two: by the stops alone, and with the paths. */
export function scoresOf(report: Pick<MutationReport, 'cases' | 'results'>): ReadonlyArray<Score & {readonly byStops?: Score}> {
	return chosenCases(report).map(name => ({...scoreOf(name, report.results), ...(name === completeCases ? {byStops: scoreOf(name, report.results, {isByStops: true})} : {})}));
}

/** The chosen cases that miss a mutant that differs. */
export function missedBy(report: Pick<MutationReport, 'cases'>, result: MutantResult): readonly string[] {
	return result.mutantStatus.kind === 'differs' ? chosenCases(report).filter(name => detectionBy(name, result).kind === 'survived') : [];
}

/** See {@link exitStatusOfMutants}. */
export function exitStatusOfMutation(report: Pick<MutationReport, 'cases' | 'results'>): ExitStatus {
	return exitStatusOfMutants(report.results, chosenCases(report));
}
