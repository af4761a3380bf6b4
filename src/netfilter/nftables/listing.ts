/**
The output of `nft list ruleset` on a machine where several programs write rules: native tables, and tables of iptables-nft, which nft shows in translation.
*/

import {builtInChains} from '../built-in.js';
import type {RuleSet, Table} from '../types.js';
import {parseNftInPart, type HiddenRule} from './ruleset.js';

/**
Reads a listing. A complete translation is read like any other table. A table with a rule of which nft hides a part is skipped if there is also a native table and nothing in the table can keep a socket's packet from a listener or send it to another one.

@throws {ParseError} as `parseNft`; for any other table with such a rule, it names the rule.
*/
export function parseNftListing(text: string): {readonly ruleSet: RuleSet; readonly leftOut: readonly string[]} {
	const {
		ruleSet: {tables}, hidden: shown, targetless, unmet, managed,
	} = parseNftInPart(text);
	// A rule of iptables-nft that seems to do nothing but count may be one whose target nft does not print.
	const translated = new Set(tables.filter(table => isTranslated(table)).map(table => keyOf(table)));
	const hidden = [...shown, ...targetless.filter(({table}) => translated.has(table)).map(rule => ({...rule, text: `${rule.text} xt target`}))];
	const notMet = unmet.map(({table, line}) => `line ${line}: ignored table ${table}: packets of sockets do not meet it`);
	const [first] = hidden;
	if (first === undefined) {
		return {ruleSet: {tables}, leftOut: notMet};
	}

	const kept = tables.filter(table => hidden.every(rule => rule.table !== keyOf(table)));
	const native = kept.some(table => !managed.has(keyOf(table)) && !isTranslated(table) && table.chains.some(({rules}) => rules.length > 0));
	const decisive = new Set(tables.filter(table => canDecide(table, hidden.filter(rule => rule.table === keyOf(table)))).map(table => keyOf(table)));
	const refused = native ? hidden.find(({table}) => decisive.has(table)) : first;
	if (refused !== undefined) {
		throw refused.error;
	}

	const named = hidden.filter((rule, index) => hidden.findIndex(({table}) => table === rule.table) === index);
	return {
		ruleSet: {tables: kept},
		leftOut: [...notMet, ...named.map(({table, chain, number, part, error: {line}}) => `line ${line}: ignored table ${table}: iptables-nft wrote it, and nft does not show the values of ${part} in rule ${number} of chain ${chain}. On the path of a socket's packets, nothing in that table drops or redirects`)],
	};
}

/** Whether a table has the name and the chains of one that iptables-nft writes; nft translates such rules. */
export function isTranslated({family, name, chains}: Table): boolean {
	return family !== 'inet' && builtInChains(name).some(chain => chains.some(known => known.name === chain));
}

function keyOf({family, name}: Pick<Table, 'family' | 'name'>): string {
	return `${family} ${name}`;
}

/** Statements that end or divert a packet's path, or set something that another table may test; and iptables targets, except those that only log or change the source after all decisions. */
const deciding = /\b(?:drop|reject|queue|redirect|dnat|tproxy|synproxy|notrack|dup|fwd|vmap|set)\b|\bxt target(?! "?(?:MASQUERADE|SNAT|LOG|NFLOG|TRACE)\b)/u;

/** Whether a rule could do more than count to a socket's packets; forwarded packets do not matter. */
function canDecide({chains}: Table, hidden: readonly HiddenRule[]): boolean {
	const textsOf = (name: string): readonly string[] => [
		...chains.find(chain => chain.name === name)?.rules.map(({text}) => text) ?? [],
		...hidden.filter(({chain}) => chain === name).map(({text}) => text),
	];
	const met = new Set(chains.filter(({base}) => base !== undefined && base.hook !== 'forward').map(({name}) => name));
	for (const name of met) {
		for (const text of textsOf(name)) {
			const target = /\b(?:jump|goto) (?<target>\S+)/u.exec(text)?.groups?.['target'];
			if (target !== undefined) {
				met.add(target);
			}
		}
	}

	return [...met].some(name => chains.find(chain => chain.name === name)?.policy === 'DROP' || textsOf(name).some(text => deciding.test(text.replaceAll(/(?<!xt target )"[^"]*"/gu, '""'))));
}
