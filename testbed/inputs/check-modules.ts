/**
Rules as they are brought: nothing but rules, and no match or target that is not known unless it was allowed. The door to the tools asks once more (`sandbox/rule-check.ts`).
*/

import {unknownExtensions, type UnknownExtension} from '../../src/netfilter/import/check-rules.js';
import type {Backend, Rule, RuleSet} from '../../src/netfilter/types.js';
import {RuleSyntaxError} from '../../src/netfilter/words.js';
import {TestbedError} from '../errors.js';

/** Rules that are about to be used, and what was allowed of them. */
export type CheckedRules = {
	readonly source: string;
	readonly ruleSet: RuleSet;
	readonly backend: Backend;
	readonly lines?: ReadonlyMap<Rule, number> | undefined;
};

/**
The names of matches and targets that rules use and that are not known; empty for nearly all rules.

@throws {TestbedError} INPUT when there are some and they are not allowed, or a text is no rule.
*/
export function checkModules({source, ruleSet, backend, lines}: CheckedRules, isAllowed: boolean): readonly string[] {
	let found: readonly UnknownExtension[];
	try {
		found = unknownExtensions(ruleSet, backend);
	} catch (error) {
		throw error instanceof RuleSyntaxError ? new TestbedError('INPUT', {message: `${source}: ${error.message}.`, state: 'Nothing was installed.', cause: error}) : error;
	}

	const [first] = found;
	if (first === undefined || isAllowed) {
		return found.map(({name}) => name);
	}

	const line = lines?.get(first.rule);
	throw new TestbedError('INPUT', {
		message: `${source}: ${line === undefined ? first.place : `line ${line}`}: ${first.flag} ${first.name} is no ${first.flag === '-m' ? 'match' : 'target'} that is known here, and a name that iptables does not know makes it load a library and the kernel load a module of that name.`,
		state: 'Nothing was installed.',
		hint: `If you trust the rules, allow it: --allow-modules (in the library: allowModules: true)${found.length > 1 ? `; that allows ${found.map(({flag, name}) => `${flag} ${name}`).join(', ')}` : ''}.`,
	});
}
