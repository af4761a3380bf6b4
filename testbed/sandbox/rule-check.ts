/**
The door to the rule tools: only rules pass.
*/

import {unknownExtensions, type UnknownExtension} from '../../src/netfilter/import/check-rules.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import {RuleSyntaxError} from '../../src/netfilter/words.js';
import {TestbedError} from '../errors.js';

/**
Refuses, at the door to the tools, what no reader of inputs has let in: a text that is no rule, or a match or target that is neither known nor among the names that were allowed.

@throws {TestbedError} RULES_REJECTED; nothing was installed then.
*/
export function refuseUnchecked({ruleSet, backend, allowedModules = []}: {readonly ruleSet: RuleSet; readonly backend: Backend; readonly allowedModules?: readonly string[] | undefined}): void {
	let found: readonly UnknownExtension[];
	try {
		found = unknownExtensions(ruleSet, backend);
	} catch (error) {
		throw error instanceof RuleSyntaxError ? new TestbedError('RULES_REJECTED', {message: `These are not only rules: ${error.message}.`, state: 'No tool was given them; nothing was installed.', cause: error}) : error;
	}

	const foreign = found.find(({name}) => !allowedModules.includes(name));
	if (foreign !== undefined) {
		throw new TestbedError('RULES_REJECTED', {
			message: `${foreign.place} names ${foreign.flag} ${foreign.name}, which is not known here and was not allowed.`,
			state: 'No tool was given the rules; nothing was installed.',
			hint: 'If you trust the rules, allow it: --allow-modules (in the library: allowModules: true).',
		});
	}
}
