/**
The history of the rules, step by step, so that every step can be undone. A step is either a new rule set or one change.
*/

import type {RuleEdit, RulesChoice} from './protocol.js';

/** One step. */
export type Step = {readonly kind: 'rules'; readonly rules: RulesChoice} | {readonly kind: 'edit'; readonly edit: RuleEdit};

/** All steps, and how many of them are in effect: later ones were undone. The first one is always `rules`. */
export type History = {readonly steps: readonly [Step, ...Step[]]; readonly count: number};

/** The most steps that are kept. After that, the user has to undo some or start over. */
export const stepsMax = 500;

/** A history that starts with some rules. */
export function beginHistory(rules: RulesChoice): History {
	return {steps: [{kind: 'rules', rules}], count: 1};
}

/** Adds a step. Undone steps are forgotten. Undefined if there would be too many. */
export function withStep({steps, count}: History, step: Step): History | undefined {
	return count >= stepsMax ? undefined : {steps: [steps[0], ...steps.slice(1, count), step], count: count + 1};
}

/** The history without its last step; undefined if only the first is left. */
export function undone({steps, count}: History): History | undefined {
	return count > 1 ? {steps, count: count - 1} : undefined;
}

/** The history with the step that was undone last; undefined if there is none. */
export function redone({steps, count}: History): History | undefined {
	return count < steps.length ? {steps, count: count + 1} : undefined;
}

/** The current rules, and the changes since they were loaded. */
export function stateOf({steps, count}: History): {readonly rules: RulesChoice; readonly edits: readonly RuleEdit[]} {
	const counted = steps.slice(0, count);
	const place = counted.findLastIndex(({kind}) => kind === 'rules');
	const base = counted[place] as Extract<Step, {kind: 'rules'}>;
	return {rules: base.rules, edits: counted.slice(place + 1).flatMap(step => step.kind === 'edit' ? [step.edit] : [])};
}
