/**
The checksum of rules in reports.
*/

import {createHash} from 'node:crypto';
import type {AddressFamily, Backend, RuleSet} from '../../src/netfilter/types.js';
import {printRuleSet} from '../../src/report/rules/text.js';

/** The SHA-256, in hex, of the rules of the given families as the back end prints them. */
export function checksumOf(rules: {readonly backend: Backend; readonly families: readonly AddressFamily[]; readonly ruleSet: RuleSet}): string {
	return createHash('sha256').update(printRuleSet(rules)).digest('hex');
}
