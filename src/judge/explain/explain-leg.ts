/**
Explains why a packet took its path: each chain that it went through, rule by rule, tested by the model and compared with the trace. The trace shows which rules matched; the model says why the others did not. If the two disagree, one of them is wrong, and the report says so.
*/

import {purposeOf, type Role} from '../../mesh/roles.js';
import {findTable, languageOfTable} from '../../netfilter/lookup.js';
import type {Leg, RuleHit, Traversal} from '../../netfilter/path.js';
import type {
	Chain, Rule, RuleLanguage, Table, Target,
} from '../../netfilter/types.js';
import type {MeshRules} from '../../mesh/mesh.js';
import {finalVerdicts} from '../../trace/chain-walk.js';
import type {RuleReference} from '../outcome.js';
import {isDeciding, verdictOfTarget} from '../observed-roles.js';
import {
	applyRule, enterChain, factsAt, freshPacket, type PacketFacts, type PacketState,
} from './packet-facts.js';
import {askRule, type RuleAnswer} from './match-rule.js';

/** One rule that the kernel tested, in the kernel's order. */
export type AskedRule = {
	readonly rule: RuleReference;
	/** Null for a rule that no sidecar writes. */
	readonly role: Role | null;
	/** The purpose of the role, as one sentence; null without a role. */
	readonly purpose: string | null;
	readonly target: Target;
	/** Whether the trace shows a match. */
	readonly isHit: boolean;
	/** Whether it ended the path through this base chain, or through a chain of the sidecar: see `isDeciding`. */
	readonly isDeciding: boolean;
	/** Whether the rule is in the base chain itself: if it returns, the policy decides. */
	readonly isInBaseChain: boolean;
	readonly answer: RuleAnswer;
	/** The packet as it was when this rule was tested. */
	readonly facts: PacketFacts;
};

/** A base chain that a packet met, with every rule that was tested there and in the chains reached from there. Rules after the one that ended the path were not tested and are not listed. */
export type AskedChain = {
	readonly traversal: Traversal;
	/** The language of the table's rules. */
	readonly language: RuleLanguage;
	readonly rules: readonly AskedRule[];
};

/** Where the model and the kernel disagree. */
export type Contradiction =
	/** The trace shows a match of a rule that does not match according to the model. */
	| {readonly kind: 'hit-fails'; readonly rule: AskedRule; readonly language: RuleLanguage}
	/** According to the model, a rule matches that the kernel tested, but the trace shows no match. */
	| {readonly kind: 'match-without-hit'; readonly rule: AskedRule; readonly language: RuleLanguage}
	/** The trace shows a rule that the packet does not reach according to the model: its chain was left, or never entered. */
	| {readonly kind: 'out-of-way'; readonly hit: RuleHit};

/** The explanation of one leg. */
export type LegExplanation = {readonly chains: readonly AskedChain[]; readonly contradictions: readonly Contradiction[]};

/** Explains a leg by the rule set as it was loaded. `mark` is the mark of its socket. */
export function explainLeg(leg: Leg, ruleSet: MeshRules, {mark}: {readonly mark: number}): LegExplanation {
	let state = freshPacket(mark);
	const chains: AskedChain[] = [];
	const contradictions: Contradiction[] = [];
	for (const traversal of leg.traversals) {
		const walk = new Walk({
			leg, traversal, ruleSet, state: enterChain(state, traversal, ruleSet),
		});
		const explained = walk.explain();
		state = walk.state;
		chains.push(explained);
		contradictions.push(...contradictionsIn(explained), ...walk.left.map((hit): Contradiction => ({kind: 'out-of-way', hit})));
	}

	return {chains, contradictions};
}

function contradictionsIn({rules, language}: AskedChain): readonly Contradiction[] {
	return rules.flatMap((rule): readonly Contradiction[] => {
		if (rule.isHit) {
			return rule.answer.kind === 'fails' ? [{kind: 'hit-fails', rule, language}] : [];
		}

		return rule.answer.kind === 'matches' ? [{kind: 'match-without-hit', rule, language}] : [];
	});
}

/** How a chain was left: `over` ends the path through the base chain, `back` continues after the jump. */
type Leaving = 'over' | 'back';

/** One packet's path through one base chain, according to the hits of the trace. */
class Walk {
	state: PacketState;
	readonly #traversal: Traversal;
	readonly #leg: Leg;
	readonly #ruleSet: MeshRules;
	readonly #table: Table | undefined;
	readonly #language: RuleLanguage;
	readonly #rules: AskedRule[] = [];
	/** How many of the traversal's hits are accounted for. */
	#used = 0;

	constructor({leg, traversal, ruleSet, state}: {readonly leg: Leg; readonly traversal: Traversal; readonly ruleSet: MeshRules; readonly state: PacketState}) {
		this.state = state;
		this.#leg = leg;
		this.#traversal = traversal;
		this.#ruleSet = ruleSet;
		this.#table = findTable(ruleSet, traversal);
		this.#language = this.#table === undefined ? 'iptables' : languageOfTable(this.#table);
	}

	/** The hits that the walk did not reach. */
	get left(): readonly RuleHit[] {
		return this.#traversal.hits.slice(this.#used);
	}

	explain(): AskedChain {
		const chain = this.#chain(this.#traversal.chain);
		if (chain !== undefined) {
			this.#walk(chain);
		}

		return {traversal: this.#traversal, language: this.#language, rules: this.#rules};
	}

	#chain(name: string): Chain | undefined {
		return this.#table?.chains.find(chain => chain.name === name);
	}

	/** Every jump consumes a hit, so the walk ends even if the chains of a set form a circle. */
	#walk(chain: Chain): Leaving {
		for (const rule of chain.rules) {
			const hit = this.#ask(rule, chain);
			if (hit === undefined) {
				continue;
			}

			const leaving = this.#follow(rule, hit);
			if (leaving !== undefined) {
				return leaving;
			}
		}

		return 'back';
	}

	/** Records a rule, and returns its hit if it has one. */
	#ask(rule: Rule, chain: Chain): RuleHit | undefined {
		const {family, table, chain: base, hits} = this.#traversal;
		const next = hits[this.#used];
		const hit = next?.chain === chain.name && next.number === rule.number ? next : undefined;
		const {mesh} = this.#ruleSet;
		const role = mesh.roleOf(rule, table, chain) ?? null;
		const facts = factsAt(this.#leg, this.#traversal, this.state);
		this.#rules.push({
			rule: {
				family, table, chain: chain.name, number: rule.number, text: rule.text,
			},
			role,
			purpose: role === null ? null : purposeOf(mesh.roles[role]!, rule),
			target: rule.target,
			isHit: hit !== undefined,
			isDeciding: hit !== undefined && isDeciding(hit, this.#ruleSet),
			isInBaseChain: chain.name === base,
			answer: askRule(rule, facts, {language: this.#language}),
			facts,
		});
		if (hit !== undefined) {
			this.#used++;
			this.state = applyRule(this.state, rule);
		}

		return hit;
	}

	/** The effect of a hit; undefined if the next rule is tested. */
	#follow({target}: Rule, hit: RuleHit): Leaving | undefined {
		const verdict = hit.verdict ?? verdictOfTarget(hit, this.#ruleSet);
		if (verdict === 'return') {
			return 'back';
		}

		if (verdict !== 'jump' && verdict !== 'goto') {
			return finalVerdicts.has(verdict) ? 'over' : undefined;
		}

		// The destination of a verdict map is visible only if something matched there.
		const following = this.#traversal.hits[this.#used]?.chain;
		const name = target.kind === 'jump' || target.kind === 'goto' ? target.chain : (following === hit.chain ? undefined : following);
		const chain = name === undefined ? undefined : this.#chain(name);
		const leaving = chain === undefined ? 'back' : this.#walk(chain);
		return leaving === 'over' || verdict === 'goto' ? leaving : undefined;
	}
}
