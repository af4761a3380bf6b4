/**
The rules of a session as they were and are: what was chosen, what was changed, what was undone. Nothing is loaded into a kernel here.
*/

import type {AddressFamily} from '../../src/netfilter/types.js';
import type {RuleEdit, RulesChoice} from '../../src/workshop/protocol.js';
import {applyEdit, describeEdit} from '../../src/workshop/edits.js';
import {
	beginHistory, redone, stateOf, undone, withStep, type History, type Step,
} from '../../src/workshop/history.js';
import {TestbedError} from '../errors.js';
import {
	chosenRules, withEdits, type ChosenRules, type RulePermissions,
} from './chosen-rules.js';

/** Rules that a step leads to. They count once {@link RuleHistory.commit} was called with them. */
export type Candidate = {readonly history: History; readonly chosen: ChosenRules; readonly family: AddressFamily};

/** What a step is: one of the history's own, or back and forth. */
export type Move = Step | {readonly kind: 'undo' | 'redo'};

/** The steps, and what each of them comes to. */
export class RuleHistory {
	readonly #permissions: RulePermissions;
	readonly #loaded = new WeakMap<RulesChoice, ChosenRules>();
	#history: History;

	/** `chosen` are the rules of `choice`, which may be some that no page can name. */
	constructor({choice, chosen, ...permissions}: RulePermissions & {readonly choice: RulesChoice; readonly chosen: ChosenRules}) {
		this.#permissions = permissions;
		this.#loaded.set(choice, chosen);
		this.#history = beginHistory(choice);
	}

	/** The rules that were chosen last, and the changes since. */
	get state(): {readonly rules: RulesChoice; readonly edits: readonly RuleEdit[]} {
		return stateOf(this.#history);
	}

	get canUndo(): boolean {
		return undone(this.#history) !== undefined;
	}

	get canRedo(): boolean {
		return redone(this.#history) !== undefined;
	}

	/** The changes in words. */
	get editsInWords(): readonly string[] {
		const {rules, edits} = this.state;
		let {ruleSet} = this.#loaded.get(rules)!.rules;
		return edits.map(edit => {
			const words = describeEdit(ruleSet, edit);
			ruleSet = applyEdit(ruleSet, edit);
			return words;
		});
	}

	/**
	What a step leads to. A dump may hold one family only, so the family can be another one than `wanted`.

	@throws {TestbedError} USAGE where there is no such step; INPUT for rules that are not understood.
	*/
	candidate(move: Move, wanted: AddressFamily): Candidate {
		const history = this.#moved(move);
		if (history === undefined) {
			throw new TestbedError('USAGE', {message: 'There is no such step.', hint: 'Undo and redo go no further; after 500 changes, load rules anew.'});
		}

		return this.#candidate(history, wanted);
	}

	/**
	The rules that count now, as a candidate.

	@throws {TestbedError} as {@link candidate}.
	*/
	current(wanted: AddressFamily): Candidate {
		return this.#candidate(this.#history, wanted);
	}

	/**
	What a link leads to: a history of its own.

	@throws {TestbedError} as {@link candidate}.
	*/
	restored(rules: RulesChoice, edits: readonly RuleEdit[], wanted: AddressFamily): Candidate {
		let history = beginHistory(rules);
		for (const edit of edits) {
			history = withStep(history, {kind: 'edit', edit}) ?? history;
		}

		return this.#candidate(history, wanted);
	}

	/** Lets a candidate count. */
	commit({history}: Candidate): void {
		this.#history = history;
	}

	#moved(move: Move): History | undefined {
		switch (move.kind) {
			case 'undo': {
				return undone(this.#history);
			}

			case 'redo': {
				return redone(this.#history);
			}

			case 'rules':
			case 'edit': {
				return withStep(this.#history, move);
			}
		}
	}

	#candidate(history: History, wanted: AddressFamily): Candidate {
		const {rules, edits} = stateOf(history);
		const base = this.#loaded.get(rules) ?? chosenRules(rules, this.#permissions);
		this.#loaded.set(rules, base);
		const chosen = withEdits(base, edits, this.#permissions.allowModules);
		return {history, chosen, family: chosen.families.includes(wanted) ? wanted : chosen.families[0]!};
	}
}
