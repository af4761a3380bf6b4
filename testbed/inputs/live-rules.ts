/**
Which back end of a live pod has rules, and those rules.
*/

import {backendsOf} from '../../src/netfilter/backends.js';
import {tableFamily} from '../../src/netfilter/built-in.js';
import {importRules, type Imported} from '../../src/netfilter/import/import-rules.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import type {AddressFamily, Backend, RuleLanguage, RuleSet} from '../../src/netfilter/types.js';
import type {LiveRules} from '../live/live-pod.js';

/** The rules of one back end. */
export type BackendRules = {readonly backend: Backend; readonly language: RuleLanguage; readonly parts: readonly Imported[]; readonly rules: number; readonly isFilled: boolean};

/**
The rules of every back end, in the order of `backends`. One is filled if it has a rule, or a policy other than ACCEPT: tables without rules stay when rules are deleted, and looking at rules can make them.

@throws {ParseError} for rules that are not understood.
*/
export function rulesByBackend({listing, saved}: LiveRules): readonly BackendRules[] {
	const ofIptables = saved.map(({backend, texts}) => backendRules(backend, 'iptables', addressFamilies.flatMap(family => partOf(texts[family], family))));
	const native = nativeTables(listing, translatedTables(saved));
	return [...ofIptables, ...backendsOf('nft').map(backend => backendRules(backend, 'nft', native === '' ? [] : [importRules(native)]))];
}

function backendRules(backend: Backend, language: RuleLanguage, parts: readonly Imported[]): BackendRules {
	const chains = parts.flatMap(({ruleSet: {tables}}) => tables.flatMap(table => table.chains));
	const rules = chains.reduce((sum, chain) => sum + chain.rules.length, 0);
	return {
		backend, language, parts, rules, isFilled: rules > 0 || chains.some(({policy}) => policy !== undefined && policy !== 'ACCEPT'),
	};
}

/** A saved text without its comments: they are about other back ends, which are read as well. */
function partOf(text: string, family: AddressFamily): readonly Imported[] {
	const alone = text.split('\n').filter(line => !line.startsWith('#')).join('\n');
	return alone.trim() === '' ? [] : [importRules(alone, {family})];
}

/** The tables that iptables itself saved, as `ip nat`: in nft's listing they are translations. It leaves out tables that it did not write. */
function translatedTables(saved: LiveRules['saved']): ReadonlySet<string> {
	return new Set(saved.flatMap(({texts}) => addressFamilies.flatMap(family => [...texts[family].matchAll(/^\*(?<name>\S+)$/gmu)].map(({groups}) => `${tableFamily(family)} ${groups!['name']!}`))));
}

/** The tables of a listing that are not among the given ones. */
export function nativeTables(listing: string, others: ReadonlySet<string>): string {
	let isKept = false;
	return listing.split('\n').filter(line => {
		const head = /^table (?<family>\S+) (?<name>\S+) \{/u.exec(line)?.groups;
		if (head !== undefined) {
			isKept = !others.has(`${head['family']!} ${head['name']!}`);
		}

		return isKept && !line.startsWith('#');
	}).join('\n').trim();
}

/** What one back end has, in words: `22 rules (IPv4 nat; IPv6 nat)`. */
export function describeTables({parts, rules}: Pick<BackendRules, 'parts' | 'rules'>): string {
	const tables = parts.flatMap(({ruleSet}) => filledTables(ruleSet));
	return `${rules} ${rules === 1 ? 'rule' : 'rules'}${tables.length === 0 ? '' : ` (${tables.join(', ')})`}`;
}

function filledTables({tables}: RuleSet): readonly string[] {
	return tables.filter(({chains}) => chains.some(({rules, policy}) => rules.length > 0 || (policy !== undefined && policy !== 'ACCEPT'))).map(({family, name}) => `${family} ${name}`);
}
