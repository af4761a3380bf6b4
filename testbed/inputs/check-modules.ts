/**
Checks rules from outside: the text must hold nothing but rules, and unknown matches and targets must have been allowed. It is checked again before the tools run (`sandbox/rule-check.ts`).
*/

import {unknownExtensions, type UnknownExtension} from '../../src/netfilter/import/check-rules.js';
import type {Backend, Rule, RuleSet} from '../../src/netfilter/types.js';
import {RuleSyntaxError} from '../../src/netfilter/words.js';
import {TestbedError} from '../errors.js';

/** Rules that are about to be used. */
export type CheckedRules = {
	readonly source: string;
	readonly ruleSet: RuleSet;
	readonly backend: Backend;
	readonly lines?: ReadonlyMap<Rule, number> | undefined;
};

/**
The names of unknown matches and targets in rules; empty for nearly all rules.

@throws {TestbedError} INPUT if there are some and they are not allowed, or if a text is not a rule.
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
		message: `${source}: ${line === undefined ? first.place : `line ${line}`}: ${first.flag} ${first.name} is not a known ${first.flag === '-m' ? 'match' : 'target'}. For an unknown name, iptables loads a library and the kernel loads a module of that name.`,
		state: 'Nothing was installed.',
		hint: `If you trust the rules, use --allow-modules (in the library: allowModules: true)${found.length > 1 ? `; it allows ${found.map(({flag, name}) => `${flag} ${name}`).join(', ')}` : ''}.`,
	});
}
