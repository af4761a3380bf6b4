/**
Whether rules turn on conntrack. In a fresh network namespace it is off, and nat, which works on its entries, is then skipped for every packet (`nf_nat_inet_fn` in net/netfilter/nf_nat_core.c returns if a packet has no entry; measured on Linux 6.18, all back ends).
*/

import {tableFamily} from './built-in.js';
import {tablesOf} from './lookup.js';
import {
	addressFamilies, type AddressFamily, type Family, type Match, type Rule, type RuleSet, type Table, type Target,
} from './types.js';

/** `unknown`: some rule has a match or a target that is not understood. */
export type ConntrackNeed = 'yes' | 'no' | 'unknown';

/** Targets of iptables and statements of nft that do not need conntrack (their sources in net/netfilter and net/ipv4/netfilter never call `nf_ct_netns_get`). */
const without: ReadonlySet<string> = new Set(['LOG', 'NFLOG', 'REJECT', 'TRACE']);
/** Targets that translate addresses (nf_nat_redirect.c, xt_nat.c, xt_MASQUERADE.c, xt_NETMAP.c). */
const translating: ReadonlySet<string> = new Set(['DNAT', 'SNAT', 'MASQUERADE', 'NETMAP', 'REDIRECT']);

/** Whether the rules of these tables need conntrack. The tables have to be of one family, because the kernel counts by family. */
export function conntrackNeedOf(tables: readonly Table[]): ConntrackNeed {
	return strongest(tables.map(table => needOfTable(table)));
}

/** Cached, because it is asked for every packet and tables never change. */
const known = new WeakMap<Table, ConntrackNeed>();

function needOfTable(table: Table): ConntrackNeed {
	let need = known.get(table);
	if (need === undefined) {
		const {chains, objects = []} = table;
		need = strongest([
			...(objects.length === 0 ? [] : ['unknown' as const]),
			...chains.flatMap(({rules}) => rules.map(rule => needOfRule(rule))),
		]);
		known.set(table, need);
	}

	return need;
}

/** The first two rules of each family that surely need conntrack. */
const needing = new WeakMap<RuleSet, ReadonlyMap<AddressFamily, readonly Rule[]>>();

/** Whether conntrack stays on for all packets that a table can see, whatever becomes of one rule: for each family, another rule needs it. */
export function isOnWithout(rule: Rule, family: Family, ruleSet: RuleSet): boolean {
	let known = needing.get(ruleSet);
	if (known === undefined) {
		known = new Map(addressFamilies.map(each => [each, tablesOf(ruleSet, each).flatMap(({chains}) => chains.flatMap(({rules}) => rules.filter(other => needOfRule(other) === 'yes'))).slice(0, 2)]));
		needing.set(ruleSet, known);
	}

	return addressFamilies.every(each => (family !== 'inet' && tableFamily(each) !== family) || known.get(each)!.some(other => other !== rule));
}

function needOfRule({matches, target}: Rule): ConntrackNeed {
	return strongest([needOfTarget(target), ...matches.map(({kind}) => needOfMatch[kind] ?? 'no')]);
}

function strongest(needs: Iterable<ConntrackNeed>): ConntrackNeed {
	const all = new Set(needs);
	return all.has('yes') ? 'yes' : (all.has('unknown') ? 'unknown' : 'no');
}

/** Matches that are not listed do not need it. */
const needOfMatch: Readonly<Partial<Record<Match['kind'], ConntrackNeed>>> = {'conntrack-state': 'yes', connmark: 'yes', opaque: 'unknown'};
const needOfKind: Readonly<Partial<Record<Target['kind'], ConntrackNeed>>> = {
	redirect: 'yes', 'set-connmark': 'yes', 'save-mark': 'yes', 'restore-mark': 'yes', 'ct-zone': 'yes',
};

function needOfTarget(target: Target): ConntrackNeed {
	if (target.kind !== 'extension') {
		return needOfKind[target.kind] ?? 'no';
	}

	const name = target.name.toUpperCase();
	return translating.has(name) ? 'yes' : (without.has(name) ? 'no' : 'unknown');
}
