/**
Chains that jump in a circle. If packets can reach such a circle, the kernel rejects the table with "Too many links" (EMLINK; nf_tables_check_loops and mark_source_chains) and names neither the other chains nor the jumps.
*/

import {baseChainOf, type PlacedRule} from './lookup.js';
import type {Chain, RuleSet, Table} from './types.js';

/** The jumps of a circle, in the order in which a packet would take them; the last one leads to the chain of the first. */
export type ChainRing = readonly [PlacedRule, ...PlacedRule[]];

/** The first circle that packets can reach, in the first table that has one. The kernel accepts circles that no base chain leads to. */
export function ringIn({tables}: RuleSet): ChainRing | undefined {
	for (const table of tables) {
		const ring = ringOf(table);
		if (ring !== undefined) {
			return ring;
		}
	}

	return undefined;
}

/** `A → B → A`. */
export function printRing(ring: ChainRing): string {
	return [...ring, ring[0]].map(({chain}) => chain.name).join(' → ');
}

function ringOf(table: Table): ChainRing | undefined {
	const chains = new Map(table.chains.map(chain => [chain.name, chain]));
	const finished = new Set<string>();
	// Searches depth first with an explicit stack, because a sequence of jumps can be longer than the call stack.
	for (const start of table.chains.filter(chain => baseChainOf(table, chain) !== undefined)) {
		const path: Array<{readonly chain: Chain; readonly jumps: PlacedRule[]; next: number}> = [{chain: start, jumps: jumpsOf(table, start), next: 0}];
		while (path.length > 0) {
			const step = path.at(-1)!;
			const jump = step.jumps[step.next++];
			if (jump === undefined) {
				finished.add(step.chain.name);
				path.pop();
				continue;
			}

			const to = chains.get(targetOf(jump));
			const again = path.findIndex(({chain}) => chain === to);
			if (again !== -1) {
				return path.slice(again).map(({jumps, next}) => jumps[next - 1]!) as unknown as ChainRing;
			}

			if (to !== undefined && !finished.has(to.name)) {
				path.push({chain: to, jumps: jumpsOf(table, to), next: 0});
			}
		}
	}

	return undefined;
}

function jumpsOf({family, name: table}: Table, chain: Chain): PlacedRule[] {
	return chain.rules.filter(({target: {kind}}) => kind === 'jump' || kind === 'goto').map(rule => ({
		family, table, chain, rule,
	}));
}

function targetOf({rule: {target}}: PlacedRule): string {
	return target.kind === 'jump' || target.kind === 'goto' ? target.chain : '';
}
