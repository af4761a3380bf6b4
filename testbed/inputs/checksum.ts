/**
The checksum that a report gives of its rules.
*/

import {createHash} from 'node:crypto';
import type {AddressFamily, Backend, RuleSet} from '../../src/netfilter/types.js';
import {printRuleSet} from '../../src/report/rules/text.js';

/** The checksum of a report: of the rules of the given families as text, each back end's own way. */
export function checksumOf(rules: {readonly backend: Backend; readonly families: readonly AddressFamily[]; readonly ruleSet: RuleSet}): string {
	return createHash('sha256').update(printRuleSet(rules)).digest('hex');
}
