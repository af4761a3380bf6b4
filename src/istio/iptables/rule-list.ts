/**
Rules in the order in which istio-iptables collects them, and the resulting tables.
*/

import {builtInChains, tableFamily} from '../../netfilter/built-in.js';
import type {
	AddressFamily, Chain, Match, Rule, Table, Target,
} from '../../netfilter/types.js';
import type {Context} from '../context.js';
import type {Part} from './save-form.js';
import type {Action} from './targets.js';

/** The tables of a sidecar's rules, in the order in which `iptables-save` (nf_tables) prints them (measured). */
const tableOrder = ['mangle', 'raw', 'nat'] as const;

/** One of them. */
export type SidecarTable = typeof tableOrder[number];

/** One command of the list: `-A CHAIN TEXT`, or `-I CHAIN POSITION TEXT`. */
export type PlannedRule = {
	readonly table: SidecarTable;
	readonly chain: string;
	readonly position: number | undefined;
	readonly text: string;
	readonly matches: readonly Match[];
	readonly target: Target;
};

/** One part of `Run`: the rules that it adds to the list of one family. */
export type Step = (context: Context) => readonly PlannedRule[];

/** The place of a rule: `nat ISTIO_OUTPUT`. */
export type Place = readonly [table: SidecarTable, chain: string];

/** `-A CHAIN PARTS ACTION`. */
export function append([table, chain]: Place, parts: readonly Part[], action: Action): PlannedRule {
	return {
		table, chain, position: undefined, ...join(parts, action),
	};
}

/** `-I CHAIN POSITION PARTS ACTION`. */
export function insert([table, chain]: Place, {position, parts, action}: {readonly position: number; readonly parts: readonly Part[]; readonly action: Action}): PlannedRule {
	return {
		table, chain, position, ...join(parts, action),
	};
}

function join(parts: readonly Part[], {text: actionText, target}: Action): Pick<PlannedRule, 'text' | 'matches' | 'target'> {
	let text = '';
	const matches: Match[] = [];
	for (const part of parts) {
		if (part.text !== '') {
			text += `${part.text} `;
			matches.push(...part.matches);
		}
	}

	return {text: text + actionText, matches, target};
}

/** Applies the list to tables, as `iptables-restore` does, in the order in which `iptables-save` (nf_tables) prints them: user chains by name. */
export function buildTables(rules: readonly PlannedRule[], family: AddressFamily): readonly Table[] {
	return tableOrder
		.map(name => ({name, planned: rules.filter(({table}) => table === name)}))
		.filter(({planned}) => planned.length > 0)
		.map(({name, planned}) => ({family: tableFamily(family), name, chains: buildChains(planned, name)}));
}

function buildChains(planned: readonly PlannedRule[], table: string): readonly Chain[] {
	const builtIn = builtInChains(table);
	const lists = new Map<string, PlannedRule[]>(builtIn.map(chain => [chain, []]));
	for (const rule of planned) {
		const list = lists.get(rule.chain) ?? [];
		lists.set(rule.chain, list);
		if (rule.position === undefined) {
			list.push(rule);
		} else {
			list.splice(rule.position - 1, 0, rule);
		}
	}

	// Chains that are only jumped to are created too (`IptablesRuleBuilder`, `tools/istio-iptables/pkg/builder`).
	for (const {target} of planned) {
		if (target.kind === 'jump' && !lists.has(target.chain)) {
			lists.set(target.chain, []);
		}
	}

	const userChains = [...lists.keys()].slice(builtIn.length).toSorted();
	return [...builtIn, ...userChains].map((name, place) => ({
		name,
		policy: place < builtIn.length ? 'ACCEPT' : undefined,
		rules: (lists.get(name) ?? []).map(({matches, target, text}, index): Rule => ({
			chain: name, number: index + 1, matches, target, text,
		})),
	}));
}
