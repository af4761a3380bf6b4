/**
An independent check of the trace: rule counters, which are exact even if messages are lost. Nat sees only first packets, so there the trace and the counters must agree; other tables see every packet, so there a counter may exceed the traced packets but never fall short.
*/

import type {Leg} from '../netfilter/path.js';
import type {RuleLanguage} from '../netfilter/types.js';
import {semanticsOf} from '../netfilter/semantics.js';
import {ruleKey, type LoadedRule} from './loaded-rules.js';
import type {Gap} from './gap.js';
import type {TracedPacket} from './packets.js';

function isSameRule(one: LoadedRule, other: LoadedRule): boolean {
	return one.handle === other.handle && one.text === other.text;
}

/** Whether the kernel still has the same rules in the same places, judging by numbers, handles and (on iptables-legacy) texts. Counters are ignored. */
export function compareRules({before, after}: {readonly before: readonly LoadedRule[]; readonly after: readonly LoadedRule[]}): readonly Gap[] {
	const earlier = new Map(before.map(rule => [ruleKey(rule), rule] as const));
	const others = after.filter(rule => {
		const first = earlier.get(ruleKey(rule));
		return first === undefined || !isSameRule(first, rule);
	});
	return [
		...(before.length === after.length ? [] : [{kind: 'rules-differ', message: `The kernel had ${before.length} rules before the run and ${after.length} after it.`} satisfies Gap]),
		...others.map((rule): Gap => ({kind: 'rules-differ', message: `${nameOf(rule)} was not there, or was another rule, before the run.`})),
	];
}

function nameOf({family, table, chain, number}: LoadedRule): string {
	return `${family} ${table} ${chain}#${number}`;
}

type Counted = {
	readonly before: readonly LoadedRule[];
	readonly after: readonly LoadedRule[];
	/** The tables that see only first packets: see `isNatTable`. Default: those of iptables. */
	readonly isNat?: (rule: LoadedRule) => boolean;
	/** The language of the rules. In native nft, some may have no counter; `uncountedRules` names those for the report. */
	readonly language?: RuleLanguage;
};

/** Compares what the packets hit with how much the counters increased. If there are no differences, the trace is complete. */
export function compareCounters({packets, ...counted}: Counted & {readonly packets: readonly TracedPacket[]}): readonly Gap[] {
	const hits = new Map<string, number>();
	for (const hit of packets.flatMap(({traversals}) => traversals.flatMap(traversal => traversal.hits))) {
		if (hit.number !== undefined) {
			const key = ruleKey({...hit, number: hit.number});
			hits.set(key, (hits.get(key) ?? 0) + 1);
		}
	}

	return compareHits({...counted, hits});
}

/** The same for hits that were already counted, by {@link ruleKey}. */
export function compareHits({before, after, hits, isNat = ({table}) => table === 'nat', language = 'iptables'}: Counted & {readonly hits: ReadonlyMap<string, number>}): readonly Gap[] {
	const gaps: Gap[] = [...compareRules({before, after})];
	const earlier = new Map(before.map(rule => [ruleKey(rule), rule] as const));
	for (const rule of after) {
		const key = ruleKey(rule);
		const first = earlier.get(key);
		const traced = hits.get(key) ?? 0;
		if (first === undefined || !isSameRule(first, rule)) {
			continue; // A different rule, which `compareRules` reports.
		}

		const name = nameOf(rule);
		if (rule.packets === undefined || first.packets === undefined) {
			if (traced > 0 && semanticsOf(language).isEveryRuleCounted) {
				gaps.push({kind: 'unwitnessed', message: `${name} has no counter, so nothing confirms the ${traced} packets that the trace shows.`});
			}
		} else {
			const counted = rule.packets - first.packets;
			if (isNat(rule) ? counted !== traced : counted < traced) {
				gaps.push({kind: 'counter-mismatch', message: `${name}: its counter says ${counted} packets, the trace ${traced}.`});
			}
		}
	}

	return gaps;
}

/** The rules without a counter that legs met, by name: native nft rules for which the trace is the only evidence. */
export function uncountedRules({loaded, legs}: {readonly loaded: readonly LoadedRule[]; readonly legs: readonly Leg[]}): readonly string[] {
	const met = new Set(legs.flatMap(({traversals}) => traversals.flatMap(({hits}) => hits.flatMap(({number, ...place}) => number === undefined ? [] : [ruleKey({...place, number})]))));
	return loaded.filter(rule => rule.packets === undefined && met.has(ruleKey(rule))).map(rule => nameOf(rule));
}
