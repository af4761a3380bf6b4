/**
Translates the kernel's names into those of the rule set: handle → number by the kernel's own listing, number → text by the parsed set.
*/

import type {Rule, RuleSet, Target, Verdict} from '../netfilter/types.js';
import {baseChainOf} from '../netfilter/built-in.js';
import {rulesOf} from '../netfilter/lookup.js';
import {ruleKey, type LoadedRule} from './loaded-rules.js';
import type {KnownRule, Lookup} from './packets.js';

/** Target extensions that end a packet's path through the base chain, and how (iptables-extensions(8)). All others let it continue. */
const finalExtensions: Readonly<Record<string, Verdict>> = {
	DNAT: 'accept', MASQUERADE: 'accept', NETMAP: 'accept', NFQUEUE: 'queue', REJECT: 'drop', SNAT: 'accept', SYNPROXY: 'drop',
};

/** The verdict with which a target ends a packet's path through its base chain, as far as the rule alone shows. Undefined for one that continues. */
export function finalVerdict(target: Target): Verdict | undefined {
	switch (target.kind) {
		case 'verdict': {
			return target.verdict === 'return' ? undefined : target.verdict;
		}

		case 'redirect':
		case 'tproxy': {
			return 'accept';
		}

		case 'extension': {
			return finalExtensions[target.name];
		}

		case 'jump':
		case 'goto':
		case 'set-mark':
		case 'set-connmark':
		case 'save-mark':
		case 'restore-mark':
		case 'ct-zone':
		case 'none': {
			return undefined;
		}
	}
}

/** A lookup over one loaded set. `interfaces` maps indices to names in the traced namespace. */
export function createLookup({ruleSet, loaded, interfaces, traceTable}: {
	readonly ruleSet: RuleSet;
	readonly loaded: readonly LoadedRule[];
	readonly interfaces: ReadonlyMap<number, string>;
	readonly traceTable: string;
}): Lookup {
	const known = new Map<string, KnownRule>();
	for (const {family, table, rule} of rulesOf(ruleSet)) {
		known.set(ruleKey({
			family, table, chain: rule.chain, number: rule.number,
		}), toKnown(rule));
	}

	// Legacy's trace gives a policy the number after the last rule, and does not say what it is (`trace_packet` in net/ipv4/netfilter/ip_tables.c).
	for (const {family, name: table, chains} of ruleSet.tables) {
		for (const {name: chain, policy, rules} of chains) {
			if (policy !== undefined) {
				const number = rules.length + 1;
				known.set(ruleKey({
					family, table, chain, number,
				}), {number, text: policy, final: policy === 'DROP' ? 'drop' : 'accept', isPolicy: true});
			}
		}
	}

	const numbers = new Map<string, number>();
	for (const {family, table, chain, number, handle} of loaded) {
		if (handle !== undefined) {
			numbers.set(ruleKey({
				family, table, chain, number: handle,
			}), number);
		}
	}

	const hooks = new Map(ruleSet.tables.flatMap(table => table.chains.flatMap(chain => {
		const base = baseChainOf(table, chain);
		return base === undefined ? [] : [[`${table.family} ${table.name} ${chain.name}`, base.hook] as const];
	})));
	const ruleByNumber: Lookup['ruleByNumber'] = place => known.get(ruleKey(place));
	return {
		ruleByNumber,
		ruleByHandle({family, table, chain, handle}) {
			const number = numbers.get(ruleKey({
				family, table, chain, number: handle,
			}));
			return number === undefined
				? undefined
				: ruleByNumber({
					family, table, chain, number,
				});
		},
		hookOf: ({family, table, chain}) => hooks.get(`${family} ${table} ${chain}`),
		interfaceName: index => interfaces.get(index),
		traceTable,
	};
}

function toKnown(rule: Rule): KnownRule {
	return {number: rule.number, text: rule.text, final: finalVerdict(rule.target)};
}
