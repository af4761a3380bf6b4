/**
Rules in the order in which istio-iptables collects them, and the tables they end up in.
*/

import {builtInChains, tableFamily} from '../../netfilter/built-in.js';
import {parseRuleText} from '../../netfilter/rule-text.js';
import type {
	AddressFamily, Chain, Rule, Table,
} from '../../netfilter/types.js';
import type {Context} from '../context.js';

/** The tables that a sidecar's rules stand in. */
export type SidecarTable = 'nat' | 'mangle' | 'raw';

/** One command of the list: `-A CHAIN TEXT`, or `-I CHAIN POSITION TEXT`. */
export type PlannedRule = {readonly table: SidecarTable; readonly chain: string; readonly text: string; readonly position: number | undefined};

/** A step of the algorithm: which rules it adds to the list of one family. */
export type Step = (context: Context) => readonly PlannedRule[];

/** `-A CHAIN TEXT`. */
export function append(table: SidecarTable, chain: string, text: string): PlannedRule {
	return {
		table, chain, text: text.trim(), position: undefined,
	};
}

/** `-I CHAIN POSITION TEXT`. */
export function insert(table: SidecarTable, chain: string, {position, text}: {readonly position: number; readonly text: string}): PlannedRule {
	return {
		table, chain, text: text.trim(), position,
	};
}

/** Plays the list into tables, as `iptables-restore` does, and gives them the order in which `iptables-save` (nf_tables) prints them: user chains by name. */
export function buildTables(rules: readonly PlannedRule[], family: AddressFamily): readonly Table[] {
	const names = [...new Set(rules.map(({table}) => table))].toSorted();
	return names.map(name => ({
		family: tableFamily(family),
		name,
		chains: buildChains(rules.filter(({table}) => table === name), {table: name, family}),
	}));
}

function buildChains(rules: readonly PlannedRule[], {table, family}: {readonly table: string; readonly family: AddressFamily}): readonly Chain[] {
	const texts = new Map<string, string[]>(builtInChains(table).map(chain => [chain, []]));
	for (const {chain, text, position} of rules) {
		const list = texts.get(chain) ?? [];
		texts.set(chain, list);
		list.splice(position === undefined ? list.length : position - 1, 0, text);
	}

	// Chains that are only jumped to are made too (algorithm, step 39).
	for (const {text} of rules) {
		const {target} = parseRuleText(text, family);
		if (target.kind === 'jump' && !texts.has(target.chain)) {
			texts.set(target.chain, []);
		}
	}

	const builtIn = builtInChains(table);
	const userChains = [...texts.keys()].filter(name => !builtIn.includes(name)).toSorted();
	return [...builtIn, ...userChains].map(name => ({
		name,
		policy: builtIn.includes(name) ? 'ACCEPT' : undefined,
		rules: (texts.get(name) ?? []).map((text, index): Rule => ({chain: name, number: index + 1, ...parseRuleText(text, family)})),
	}));
}
