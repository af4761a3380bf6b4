/**
The checksum of rules in reports.
*/

import {createHash} from 'node:crypto';
import {languageOf} from '../../src/netfilter/backends.js';
import type {AddressFamily, Backend, RuleSet, Table} from '../../src/netfilter/types.js';
import {printRuleSet} from '../../src/report/rules/text.js';

/**
The SHA-256, in hex, of the rules of the given families as the back end prints them.

The order of iptables' tables and tables that do nothing make no difference. They are what earlier rules have left: iptables-legacy lists the tables that were ever used in a namespace, in the order of their first use, and cannot remove any.
*/
export function checksumOf({ruleSet: {tables}, ...rules}: {readonly backend: Backend; readonly families: readonly AddressFamily[]; readonly ruleSet: RuleSet}): string {
	const counted = languageOf(rules.backend) === 'iptables'
		? tables.filter(table => doesAnything(table)).toSorted((one, other) => one.name < other.name ? -1 : Number(one.name > other.name))
		: tables;
	return createHash('sha256').update(printRuleSet({...rules, ruleSet: {tables: counted}})).digest('hex');
}

/** Whether a table has rules, chains of its own or a policy that drops. */
function doesAnything({chains}: Table): boolean {
	return chains.some(({policy, rules}) => rules.length > 0 || policy !== 'ACCEPT');
}
