/**
Rules that a page asks for: read and checked as files are, but no file is ever opened.
*/

import {rulesOf} from '../../src/netfilter/lookup.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';
import type {RuleEdit, RulesChoice} from '../../src/workshop/protocol.js';
import {applyEdit, EditFault} from '../../src/workshop/edits.js';
import {TestbedError} from '../errors.js';
import {checkModules} from '../inputs/check-modules.js';
import {loadRuleInput, refuseRing} from '../inputs/rules.js';
import {familiesOfDump} from '../inputs/dump.js';
import {kindOfSource} from '../inputs/source.js';
import type {RuleInput} from '../inputs/types.js';

/** More rules than these would keep a room waiting: 2,000 are laid out and sent through in a second or two. */
export const rulesMax = 2000;

/** What the command line allows. */
export type RulePermissions = {readonly allowModules: boolean; readonly dnsServers: readonly string[] | undefined};

/** Rules with the families that they are for. */
export type ChosenRules = {readonly rules: RuleInput; readonly families: readonly AddressFamily[]};

/**
The rules of a choice.

@throws {TestbedError} INPUT or USAGE for what is no name of generated rules, is not understood, or is more than a page can show.
*/
export function chosenRules(choice: RulesChoice, {allowModules, dnsServers}: RulePermissions): ChosenRules {
	const {backend} = choice;
	const shared = {allowModules, dnsServers, ...(backend === undefined ? {} : {backend})};
	if (choice.kind === 'text') {
		const families = familiesOfDump(choice.text) ?? ['ipv4'];
		return bounded({rules: loadRuleInput({...shared, source: choice.name, text: choice.text, families}), families});
	}

	const source = /^v?\d+\.\d+/u.test(choice.input) ? `release:${choice.input}` : choice.input;
	const kind = kindOfSource(source);
	// Everything else names a file, and no page does that.
	if (kind !== 'release' && kind !== 'ambient') {
		throw new TestbedError('USAGE', {message: 'A page can choose generated rules (release:VERSION or ambient:VERSION, with options) or paste a dump. It cannot name a file.', hint: 'Start with the file: testbed serve FILE'});
	}

	const families = ['ipv4', 'ipv6'] as const;
	return bounded({rules: loadRuleInput({...shared, source, families}), families});
}

/**
Rules with changes. What they are meant to do stays what it was: a change is seen by what no longer comes out as intended.

@throws {TestbedError} INPUT for a change that cannot be made.
*/
export function withEdits({rules, families}: ChosenRules, edits: readonly RuleEdit[], allowModules: boolean): ChosenRules {
	if (edits.length === 0) {
		return {rules, families};
	}

	let {ruleSet} = rules;
	for (const edit of edits) {
		ruleSet = edited(ruleSet, edit);
	}

	const changed: RuleInput = {...rules, ruleSet, lines: new Map(), places: new Map()};
	refuseRing(changed);
	return bounded({rules: {...changed, allowedModules: checkModules(changed, allowModules)}, families});
}

function edited(ruleSet: RuleSet, edit: RuleEdit): RuleSet {
	try {
		return applyEdit(ruleSet, edit);
	} catch (error) {
		throw error instanceof EditFault ? new TestbedError('INPUT', {message: error.message, state: 'The rules are as they were.', cause: error}) : error;
	}
}

function bounded(chosen: ChosenRules): ChosenRules {
	const count = [...rulesOf(chosen.rules.ruleSet)].length;
	if (count > rulesMax) {
		throw new TestbedError('LIMIT', {message: `These are ${count} rules, and a page shows up to ${rulesMax}.`, hint: 'testbed run and testbed probe take any number.'});
	}

	return chosen;
}
