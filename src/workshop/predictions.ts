/**
Guesses about which rule decides, made before a packet is sent: the possible rules, and which guesses are right.
*/

import type {MeshRules} from '../mesh/mesh.js';
import {livesInPod} from '../mesh/actor-set.js';
import type {ActorName} from '../mesh/traffic.js';
import {baseChainOf, chainOf, tablesOf} from '../netfilter/lookup.js';
import type {Leg} from '../netfilter/path.js';
import type {
	AddressFamily, Chain, Hook, Rule, Table,
} from '../netfilter/types.js';
import {decidingHitsOf} from '../judge/observed-roles.js';
import type {Candidate, Score} from './protocol.js';

/** The hooks that the first packet of a connection passes, by where its sender is. */
const hooksOf: Readonly<Record<'pod' | 'outside', readonly Hook[]>> = {pod: ['output', 'postrouting'], outside: ['prerouting', 'input']};

/**
The rules that can decide about a first packet of a sender, in the order in which the kernel tests them. A rule in a base chain that only leads to another chain is left out, because every packet meets it. So is the only rule of a chain that matches every packet, because then the rule that leads to that chain is the one to guess.
*/
export function candidatesOf(rules: MeshRules, {from, family}: {readonly from: ActorName; readonly family: AddressFamily}): readonly Candidate[] {
	const hooks = hooksOf[livesInPod[from] ? 'pod' : 'outside'];
	const bases = tablesOf(rules, family).flatMap(table => table.chains.flatMap(chain => {
		const base = baseChainOf(table, chain);
		return base !== undefined && hooks.includes(base.hook) ? [{table, chain, base}] : [];
	}));
	const ordered = bases.toSorted((one, other) => hooks.indexOf(one.base.hook) - hooks.indexOf(other.base.hook) || one.base.priority - other.base.priority);
	const seen = new Set<Chain>();
	return ordered.flatMap(({table, chain}) => candidatesIn(table, chain, {rules, seen}));
}

function candidatesIn(table: Table, chain: Chain, context: {readonly rules: MeshRules; readonly seen: Set<Chain>}): readonly Candidate[] {
	if (context.seen.has(chain)) {
		return [];
	}

	context.seen.add(chain);
	const isBase = baseChainOf(table, chain) !== undefined;
	return chain.rules.flatMap((rule): readonly Candidate[] => {
		const next = rule.target.kind === 'jump' || rule.target.kind === 'goto' ? chainOf(table, rule.target.chain) : undefined;
		const isEntry = isBase && next !== undefined;
		const inner = next === undefined || isSingle(next) ? [] : candidatesIn(table, next, context);
		return [...(isEntry || rule.target.kind === 'none' ? [] : [candidateOf(rule, table, chain, context.rules)]), ...inner];
	});
}

/** Whether a chain has a single rule, which matches every packet. */
function isSingle({rules}: Chain): boolean {
	const [only] = rules;
	return rules.length === 1 && only!.target.kind !== 'jump' && only!.target.kind !== 'goto' && only!.matches.every(({kind}) => kind === 'protocol' || kind === 'comment');
}

function candidateOf(rule: Rule, table: Table, chain: Chain, {mesh}: MeshRules): Candidate {
	const role = mesh.roleOf(rule, table.name, chain);
	return {
		table: table.name, chain: chain.name, number: rule.number, text: rule.text, purpose: role === undefined ? null : mesh.roles[role]?.purpose ?? null,
	};
}

/** The indexes of the candidates that decided on a leg: each rule that it met, except in chains that returned it unchanged. Empty if no rule did. */
export function rightCandidates(candidates: readonly Candidate[], leg: Leg, rules: MeshRules): readonly number[] {
	const hits = decidingHitsOf(leg, rules);
	return candidates.flatMap(({table, chain, number}, index) => hits.some(({hit}) => hit.table === table && hit.chain === chain && hit.number === number) ? [index] : []);
}

/** Whether a guess is right: it is one of the rules that decided, or says that none did and none did. */
export function isRight(guess: number | null, right: readonly number[]): boolean {
	return guess === null ? right.length === 0 : right.includes(guess);
}

/** The score with one more guess. A guess that the evidence cannot judge does not count. */
export function scored({asked, right: before}: Score, guess: number | null, right: readonly number[] | null): Score {
	return right === null ? {asked, right: before} : {asked: asked + 1, right: before + (isRight(guess, right) ? 1 : 0)};
}
