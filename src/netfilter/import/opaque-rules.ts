/**
Finds rules with parts that are not understood. They are installed unchanged and work as usual in the kernel, but the testbed can say less about them.
*/

import {extensionTargets} from '../built-in.js';
import {rulesOf, type RulePlace} from '../lookup.js';
import type {RuleSet} from '../types.js';

/** A rule with the texts of its parts that are not understood. */
export type OpaqueRule = RulePlace & {readonly text: string; readonly parts: readonly string[]};

/** All such rules, in the order of the set. An unknown target counts; options of a known target do not. */
export function opaqueRules(ruleSet: RuleSet): readonly OpaqueRule[] {
	const found: OpaqueRule[] = [];
	for (const {family, table, chain, rule: {number, matches, target, text}} of rulesOf(ruleSet)) {
		const parts = matches.flatMap(match => match.kind === 'opaque' ? [match.text] : []);
		if (target.kind === 'extension' && !extensionTargets.has(target.name)) {
			parts.push(`-j ${target.name}${target.options === '' ? '' : ` ${target.options}`}`);
		}

		if (parts.length > 0) {
			found.push({
				family, table, chain: chain.name, number, text, parts,
			});
		}
	}

	return found;
}
