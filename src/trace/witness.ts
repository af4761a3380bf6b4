/**
The second witness: rule counters, which are exact whatever happens to messages. Nat sees first packets only, so there the trace and the counters must agree; other tables see every packet, so there a counter may exceed the traced packets, never fall short.
*/

import {ruleKey, type LoadedRule} from './loaded-rules.js';
import type {Gap} from './gap.js';
import type {TracedPacket} from './packets.js';

function isSameRule(one: LoadedRule, other: LoadedRule): boolean {
	return one.handle === other.handle && one.text === other.text;
}

/** Whether the kernel still holds the same rules in the same places, as far as numbers, handles and (on iptables-legacy) texts tell. Counters play no part. */
export function compareRules({before, after}: {readonly before: readonly LoadedRule[]; readonly after: readonly LoadedRule[]}): readonly Gap[] {
	const earlier = new Map(before.map(rule => [ruleKey(rule), rule] as const));
	const others = after.filter(rule => {
		const first = earlier.get(ruleKey(rule));
		return first === undefined || !isSameRule(first, rule);
	});
	return [
		...(before.length === after.length ? [] : [{kind: 'rules-differ', message: `The kernel held ${before.length} rules before the run and ${after.length} after it.`} satisfies Gap]),
		...others.map((rule): Gap => ({kind: 'rules-differ', message: `${nameOf(rule)} was not there, or was another rule, before the run.`})),
	];
}

function nameOf({family, table, chain, number}: LoadedRule): string {
	return `${family} ${table} ${chain}#${number}`;
}

/** Compares what the packets hit with what the counters gained. Nothing found: the trace is whole. */
export function compareCounters({before, after, packets}: {
	readonly before: readonly LoadedRule[];
	readonly after: readonly LoadedRule[];
	readonly packets: readonly TracedPacket[];
}): readonly Gap[] {
	const gaps: Gap[] = [...compareRules({before, after})];
	const hits = new Map<string, number>();
	for (const hit of packets.flatMap(({traversals}) => traversals.flatMap(traversal => traversal.hits))) {
		if (hit.number !== undefined) {
			const key = ruleKey({...hit, number: hit.number});
			hits.set(key, (hits.get(key) ?? 0) + 1);
		}
	}

	const earlier = new Map(before.map(rule => [ruleKey(rule), rule] as const));
	for (const rule of after) {
		const key = ruleKey(rule);
		const first = earlier.get(key);
		const traced = hits.get(key) ?? 0;
		if (first === undefined || !isSameRule(first, rule)) {
			continue; // Another rule: `compareRules` says so.
		}

		const name = nameOf(rule);
		if (rule.packets === undefined || first.packets === undefined) {
			if (traced > 0) {
				gaps.push({kind: 'unwitnessed', message: `${name} has no counter, so nothing confirms the ${traced} packets that the trace shows.`});
			}
		} else {
			const counted = rule.packets - first.packets;
			if (rule.table === 'nat' ? counted !== traced : counted < traced) {
				gaps.push({kind: 'counter-mismatch', message: `${name}: its counter says ${counted} packets, the trace ${traced}.`});
			}
		}
	}

	return gaps;
}
