/**
Rules in the order in which istio-iptables collects them, and the tables they end up in.
*/

import {builtInChains, tableFamily} from '../../netfilter/built-in.js';
import {parseRuleText, type ParsedRule} from '../../netfilter/rule-text.js';
import type {
	AddressFamily, Chain, Rule, Table,
} from '../../netfilter/types.js';
import type {Context} from '../context.js';

/** The tables that a sidecar's rules stand in, in the order in which `iptables-save` (nf_tables) prints them (measured). */
const tableOrder = ['mangle', 'raw', 'nat'] as const;

/** One of them. */
export type SidecarTable = typeof tableOrder[number];

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
	return tableOrder
		.map(name => ({name, planned: rules.filter(({table}) => table === name)}))
		.filter(({planned}) => planned.length > 0)
		.map(({name, planned}) => ({family: tableFamily(family), name, chains: buildChains(planned, {table: name, family})}));
}

function buildChains(planned: readonly PlannedRule[], {table, family}: {readonly table: string; readonly family: AddressFamily}): readonly Chain[] {
	const builtIn = builtInChains(table);
	const lists = new Map<string, ParsedRule[]>(builtIn.map(chain => [chain, []]));
	for (const {chain, text, position} of planned) {
		const list = lists.get(chain) ?? [];
		lists.set(chain, list);
		const parsed = parseOnce(text, family);
		if (position === undefined) {
			list.push(parsed);
		} else {
			list.splice(position - 1, 0, parsed);
		}
	}

	// Chains that are only jumped to are made too (algorithm, step 39).
	for (const {text} of planned) {
		const {target} = parseOnce(text, family);
		if (target.kind === 'jump' && !lists.has(target.chain)) {
			lists.set(target.chain, []);
		}
	}

	const userChains = [...lists.keys()].slice(builtIn.length).toSorted();
	return [...builtIn, ...userChains].map((name, place) => ({
		name,
		policy: place < builtIn.length ? 'ACCEPT' : undefined,
		rules: (lists.get(name) ?? []).map((parsed, index): Rule => ({
			chain: name, number: index + 1, matches: parsed.matches, target: parsed.target, text: parsed.text,
		})),
	}));
}

/** Rule sets of a mesh repeat each other's rules, and reading a text costs ten times what writing it does (measured), so what was read is kept. */
const knownTexts = {ipv4: new Map<string, ParsedRule>(), ipv6: new Map<string, ParsedRule>()} as const satisfies Record<AddressFamily, Map<string, ParsedRule>>;

/** A bound, for texts with values of users are without number. */
const knownTextsMax = 10_000;

function parseOnce(text: string, family: AddressFamily): ParsedRule {
	const known = knownTexts[family];
	const found = known.get(text);
	if (found !== undefined) {
		return found;
	}

	if (known.size >= knownTextsMax) {
		known.clear();
	}

	const parsed = parseRuleText(text, family);
	known.set(text, parsed);
	return parsed;
}
