/**
The last check before the rule tools run: only rules may pass.
*/

import {unknownExtensions, type UnknownExtension} from '../../src/netfilter/import/check-rules.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import {RuleSyntaxError} from '../../src/netfilter/words.js';
import {TestbedError} from '../errors.js';

/**
Refuses what the input readers should already have refused: text that is not a rule, or a match or target that is neither known nor allowed.

@throws {TestbedError} RULES_REJECTED; nothing was installed.
*/
export function refuseUnchecked({ruleSet, backend, allowedModules = []}: {readonly ruleSet: RuleSet; readonly backend: Backend; readonly allowedModules?: readonly string[] | undefined}): void {
	let found: readonly UnknownExtension[];
	try {
		found = unknownExtensions(ruleSet, backend);
	} catch (error) {
		throw error instanceof RuleSyntaxError ? new TestbedError('RULES_REJECTED', {message: `This text contains more than rules: ${error.message}.`, state: 'It was not passed to any tool, and nothing was installed.', cause: error}) : error;
	}

	const foreign = found.find(({name}) => !allowedModules.includes(name));
	if (foreign !== undefined) {
		throw new TestbedError('RULES_REJECTED', {
			message: `${foreign.place} uses ${foreign.flag} ${foreign.name}, which is unknown and was not allowed.`,
			state: 'The rules were not passed to any tool, and nothing was installed.',
			hint: 'If you trust the rules, use --allow-modules (in the library: allowModules: true).',
		});
	}
}
