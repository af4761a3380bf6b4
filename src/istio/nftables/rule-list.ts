/**
Rules in the order in which Istio's native back end collects them, and the resulting tables.
*/

import {parseNftRule} from '../../netfilter/nftables/rule.js';
import type {
	AddressFamily, BaseChain, Chain, Rule, Table,
} from '../../netfilter/types.js';
import type {Context} from '../context.js';
import type {SidecarTable} from '../iptables/rule-list.js';

export type {SidecarTable} from '../iptables/rule-list.js';

/** One command of the list: `add rule … CONDITIONS counter VERDICT`, or an insertion at an index that counts from 0. */
export type PlannedRule = {readonly table: SidecarTable; readonly chain: string; readonly conditions: string; readonly verdict: string; readonly index: number | undefined};

/** The input of a step: the values of IPv4's list, and of each family that is written, in the order in which a rule with addresses is written twice. */
export type NativeContext = {readonly shared: Context; readonly perFamily: readonly Context[]};

/** One part of `Run`: the rules that it adds to the list. */
export type Step = (context: NativeContext) => readonly PlannedRule[];

/** `add rule inet TABLE CHAIN CONDITIONS counter VERDICT`. */
export function append(table: SidecarTable, chain: string, conditions: string, verdict: string): PlannedRule {
	return {
		table, chain, conditions, verdict, index: undefined,
	};
}

/** `insert rule inet TABLE CHAIN index N CONDITIONS counter VERDICT`. */
export function insert(table: SidecarTable, chain: string, {index, conditions, verdict}: {readonly index: number; readonly conditions: string; readonly verdict: string}): PlannedRule {
	return {
		table, chain, conditions, verdict, index,
	};
}

/** The name of an address family in an nft rule. */
export function ipOf(family: AddressFamily): 'ip' | 'ip6' {
	return family === 'ipv4' ? 'ip' : 'ip6';
}

type Base = Omit<BaseChain, 'hook'>;

/** The hooks of the base chains, and the order in which chains are created: a chain is created only if it gets a rule. */
const layouts: Readonly<Record<SidecarTable, {readonly prerouting: Base; readonly output: Base; readonly chains: readonly string[]}>> = {
	nat: {
		prerouting: {type: 'nat', priority: -100},
		output: {type: 'nat', priority: -100},
		chains: ['istio-inbound', 'istio-redirect', 'istio-in-redirect', 'istio-output', 'istio-output-dns'],
	},
	mangle: {
		prerouting: {type: 'filter', priority: -150},
		output: {type: 'route', priority: -150},
		chains: ['istio-divert', 'istio-tproxy', 'istio-inbound', 'istio-drop'],
	},
	raw: {
		prerouting: {type: 'filter', priority: -300},
		output: {type: 'filter', priority: -300},
		chains: ['istio-inbound', 'istio-output-dns'],
	},
};

/** Applies the list to tables, as nft does. Tables without a rule are not created. */
export function buildTables(rules: readonly PlannedRule[], {counters}: {readonly counters: boolean}): readonly Table[] {
	return (['nat', 'mangle', 'raw'] as const).flatMap(name => {
		const own = rules.filter(({table}) => table === name);
		return own.length === 0 ? [] : [{family: 'inet', name: `istio-proxy-${name}`, chains: buildChains(own, {table: name, counters})} satisfies Table];
	});
}

function buildChains(rules: readonly PlannedRule[], {table, counters}: {readonly table: SidecarTable; readonly counters: boolean}): readonly Chain[] {
	const texts = new Map<string, string[]>();
	for (const {chain, conditions, verdict, index} of rules) {
		const list = texts.get(chain) ?? [];
		texts.set(chain, list);
		// An index beyond the end of the chain means its end.
		list.splice(index ?? list.length, 0, [conditions, ...(counters ? ['counter'] : []), verdict].filter(part => part !== '').join(' '));
	}

	const {chains, prerouting, output} = layouts[table];
	return ['prerouting', 'output', ...chains].flatMap(name => {
		const own = texts.get(name);
		if (own === undefined) {
			return [];
		}

		const base: BaseChain | undefined = name === 'prerouting' ? {...prerouting, hook: name} : (name === 'output' ? {...output, hook: name} : undefined);
		return [{
			name,
			policy: base === undefined ? undefined : 'ACCEPT',
			...(base !== undefined && {base}),
			rules: own.map((text, position): Rule => ({chain: name, number: position + 1, ...parseNftRule(text)})),
		} satisfies Chain];
	});
}
