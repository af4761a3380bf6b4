/**
The rules that a leg met, with their roles.
*/

import type {Role} from '../mesh/roles.js';
import {contains, parseAddress, parseRange} from '../netfilter/address.js';
import {
	baseChainOf, findChain, findRule, findTable, ruleNumbered, rulesOf, tablesOf,
} from '../netfilter/lookup.js';
import type {Leg, RuleHit} from '../netfilter/path.js';
import type {Rule, RuleSet, Verdict} from '../netfilter/types.js';
import type {MeshRules} from '../mesh/mesh.js';
import {finalVerdict} from '../trace/lookup.js';
import type {RuleReference} from './outcome.js';

/** A rule that matched, with its role; null for a foreign rule. */
export type RoleHit = {readonly hit: RuleHit; readonly role: Role | null};

/** All rules that a leg met, in order. */
export function roleHitsOf(leg: Leg, ruleSet: MeshRules): readonly RoleHit[] {
	return leg.traversals.flatMap(({hits}) => hits.map(hit => ({hit, role: roleOfHit(hit, ruleSet)})));
}

/**
The rules that a leg met, without detours: a jump into a chain in which nothing matched decided nothing, because the packet came back unchanged. The rules of DNS capture lead every packet through such chains.
*/
export function decidingHitsOf(leg: Leg, ruleSet: MeshRules): readonly RoleHit[] {
	return leg.traversals.flatMap(({hits}) => withoutDetours(hits, ruleSet));
}

/** The same for the rules that matched on one packet's path through one base chain. */
export function withoutDetours(hits: readonly RuleHit[], ruleSet: MeshRules): readonly RoleHit[] {
	return hits.flatMap((hit, index) => {
		const role = roleOfHit(hit, ruleSet);
		const target = role !== null && ruleSet.mesh.entryRoles.has(role) ? undefined : jumpTarget(hit, ruleSet);
		return target !== undefined && hits[index + 1]?.chain !== target ? [] : [{hit, role}];
	});
}

/** The role of a rule that matched. */
export function roleOfHit({family, table, chain: name, number}: RuleHit, ruleSet: MeshRules): Role | null {
	const chain = findChain(ruleSet, {family, table, chain: name});
	const rule = chain === undefined || number === undefined ? undefined : ruleNumbered(chain, number);
	return rule === undefined ? null : ruleSet.mesh.roleOf(rule, table, chain) ?? null;
}

/** Whether a rule that matched decided a packet's path through the sidecar's chains. A rule that only counts, logs or marks does not, nor does one that leads to another chain, or back from a foreign one. */
export function isDeciding(hit: RuleHit, ruleSet: MeshRules): boolean {
	const verdict = hit.verdict ?? verdictOfTarget(hit, ruleSet);
	if (verdict === 'return') {
		const [table, chain] = [findTable(ruleSet, hit), findChain(ruleSet, hit)];
		return (table !== undefined && chain !== undefined && baseChainOf(table, chain) !== undefined) || chain?.rules.some(rule => ruleSet.mesh.roleOf(rule, hit.table, chain) !== undefined) === true;
	}

	return verdict !== 'jump' && verdict !== 'continue';
}

/** The effect of a rule, for a trace that does not include it. */
export function verdictOfTarget(hit: RuleHit, ruleSet: RuleSet): Verdict {
	const target = hit.number === undefined ? undefined : findRule(ruleSet, {...hit, number: hit.number})?.target;
	if (target?.kind === 'jump' || target?.kind === 'goto') {
		return target.kind;
	}

	return target?.kind === 'verdict' ? target.verdict : (target === undefined ? undefined : finalVerdict(target)) ?? 'continue';
}

/** The rules of a role that packets of a leg can meet, in the order of the set. If there are several, one for each user, port or range, only those that fit the leg; if none does, all. */
export function rulesWithRole(ruleSet: MeshRules, role: Role, leg: Leg): readonly RuleReference[] {
	const {family} = leg;
	const all = [...rulesOf({tables: tablesOf(ruleSet, family)})].filter(placed => ruleSet.mesh.roleOf(placed.rule, placed.table, placed.chain) === role);
	const suiting = all.filter(({rule}) => suits(rule, leg));
	return (suiting.length > 0 ? suiting : all).map(({family: ruleFamily, table, rule: {chain, number, text}}) => ({
		family: ruleFamily, table, chain, number, text,
	}));
}

/** Whether the owner, port and range in a rule's conditions are the leg's. Other conditions are about how a packet arrives, not about the leg. */
function suits({matches}: Rule, {socket, to, family}: Leg): boolean {
	return matches.every(match => {
		if (match.kind === 'uid' || match.kind === 'gid') {
			const id = socket?.[match.kind];
			return id !== undefined && (match.from <= id && id <= match.to) !== match.negated;
		}

		if (match.kind === 'destination-port') {
			return match.ranges.some(({from, to: last}) => from <= to.port && to.port <= last) !== match.negated;
		}

		if (match.kind !== 'destination') {
			return true;
		}

		const [range, address] = [parseRange(match.address, family), parseAddress(to.address, family)];
		return range !== undefined && address !== undefined && contains(range, address) !== match.negated;
	});
}

/** The chains that a leg reached, as `table chain`: where it began, and where a rule sent it. */
export function chainsVisited(leg: Leg, ruleSet: RuleSet): ReadonlySet<string> {
	const visited = new Set<string>();
	for (const {table, chain, hits} of leg.traversals) {
		visited.add(`${table} ${chain}`);
		for (const hit of hits) {
			visited.add(`${hit.table} ${hit.chain}`);
			const target = jumpTarget(hit, ruleSet);
			if (target !== undefined) {
				visited.add(`${hit.table} ${target}`);
			}
		}
	}

	return visited;
}

/** The chain that a rule sends its packets to. */
export function jumpTarget(hit: RuleHit, ruleSet: RuleSet): string | undefined {
	const target = hit.number === undefined ? undefined : findRule(ruleSet, {...hit, number: hit.number})?.target;
	return target?.kind === 'jump' || target?.kind === 'goto' ? target.chain : undefined;
}
