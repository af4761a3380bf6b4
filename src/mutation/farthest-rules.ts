/**
How far packets came in the chains of nat, by their traces. A change behind the last rule that the kernel asked cannot make any difference to a packet, so what was seen with the original also holds with such a mutant, as long as conntrack is on in both.

Only for tables of type nat: the kernel asks their chains about the first packet of a connection and about no other (`nf_nat_inet_fn` in net/netfilter/nf_nat_core.c), and a leg has every chain that this packet met. Answers and later packets meet all other tables as well, and a leg does not show them.
*/

import {isOnWithout} from '../netfilter/conntrack-need.js';
import {
	chainOf, findTable, isNatTable, ruleNumbered, type RulePlace,
} from '../netfilter/lookup.js';
import type {Leg, Traversal} from '../netfilter/path.js';
import type {Rule, RuleSet, Table} from '../netfilter/types.js';

/** The highest number of a rule that was asked, by chain (`keyOf`); infinity if all were. Undefined if the trace does not say. */
export type FarthestRules = ReadonlyMap<string, number> | undefined;

function keyOf({family, table, chain}: Omit<RulePlace, 'number'>): string {
	return `${family} ${table} ${chain}`;
}

/** How far the packets of these legs came in the chains of nat of the rule set that they met. */
export function farthestRules(legs: readonly Leg[], ruleSet: RuleSet): FarthestRules {
	const farthest = new Map<string, number>();
	for (const traversal of legs.flatMap(({traversals}) => traversals)) {
		const table = findTable(ruleSet, traversal);
		if (table !== undefined && isNatTable(table)) {
			const asked = askedIn(traversal, table);
			if (asked === undefined) {
				return undefined;
			}

			for (const [chain, number] of asked) {
				const key = keyOf({family: table.family, table: table.name, chain});
				farthest.set(key, Math.max(number, farthest.get(key) ?? 0));
			}
		}
	}

	return farthest;
}

/** A chain that the packet is in, and the last rule that it hit there. */
type Visit = {readonly chain: string; last: number};

/**
How far one packet came in the chains of one table.

The hits are a walk through the chains: each is in the chain that the one before led to, or in one that the packet came back to. A chain that the packet left by its end was asked to the end. One that it left by a rule with RETURN, or in which its walk ended, was asked up to that rule, and those with the jumps that led there up to the jump.
*/
function askedIn({chain, hits, end}: Traversal, table: Table): ReadonlyMap<string, number> | undefined {
	const stack: Visit[] = [{chain, last: 0}];
	const asked = new Map<string, number>();
	const note = (name: string, number: number): void => {
		asked.set(name, Math.max(number, asked.get(name) ?? 0));
	};

	for (const hit of hits) {
		while (stack.length > 0 && stack.at(-1)!.chain !== hit.chain) {
			note(stack.pop()!.chain, Number.POSITIVE_INFINITY);
		}

		const visit = stack.at(-1);
		const rules = chainOf(table, hit.chain);
		const rule = rules === undefined || hit.number === undefined ? undefined : ruleNumbered(rules, hit.number);
		if (visit === undefined || rule === undefined) {
			return undefined;
		}

		visit.last = rule.number;
		const {target} = rule;
		if (target.kind === 'jump' || target.kind === 'goto') {
			stack.push({chain: target.chain, last: 0});
		} else if (target.kind === 'verdict' && target.verdict === 'return') {
			stack.pop();
			note(visit.chain, visit.last);
		} else if (hit.verdict === 'jump' || hit.verdict === 'goto' || hit.verdict === 'return') {
			return undefined; // A verdict map chose what follows, and the hit does not name it.
		}
	}

	for (const {chain: left, last} of stack) {
		note(left, end.by === 'rule' ? last : Number.POSITIVE_INFINITY);
	}

	return asked;
}

/**
Whether a change that begins with a rule can make a difference to packets: they came to that rule; or it is not in nat; or conntrack is on for the sake of that rule alone, so that nat may be skipped for every packet without it.
*/
export function canMatter({family, table: name, chain, rule}: Omit<RulePlace, 'number'> & {readonly rule: Rule}, farthest: FarthestRules, ruleSet: RuleSet): boolean {
	const table = findTable(ruleSet, {family, table: name});
	return farthest === undefined || table === undefined || !isNatTable(table) || !isOnWithout(rule, family, ruleSet)
		|| (farthest.get(keyOf({family, table: name, chain})) ?? 0) >= rule.number;
}
