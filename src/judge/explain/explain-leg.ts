/**
Why a packet took its way: the chains that it walked, rule by rule, each read against the packet and compared with the trace. The trace says which rules matched; the reading says why the others did not. Where the two differ, one of them is wrong, and that is a finding.
*/

import type {Role} from '../../mesh/roles.js';
import {findTable, isNativeTable} from '../../netfilter/lookup.js';
import type {Leg, RuleHit, Traversal} from '../../netfilter/path.js';
import type {
	Chain, Rule, Table, Target,
} from '../../netfilter/types.js';
import type {MeshRules} from '../../mesh/mesh.js';
import {finalVerdicts} from '../../trace/chain-walk.js';
import type {RuleReference} from '../outcome.js';
import {isDeciding, verdictOfTarget} from '../observed-roles.js';
import {
	applyRule, enterChain, factsAt, freshPacket, type PacketFacts, type PacketState,
} from './packet-facts.js';
import {askRule, type RuleAnswer} from './match-rule.js';

/** One rule that the kernel asked, in the order in which it did. */
export type AskedRule = {
	readonly rule: RuleReference;
	/** Null for a rule that no sidecar writes. */
	readonly role: Role | null;
	/** What rules of the role are for, as one sentence; null without a role. */
	readonly purpose: string | null;
	readonly target: Target;
	/** Whether the trace shows that it matched. */
	readonly isHit: boolean;
	/** Whether it ended the way through this base chain's rules, or a chain of the sidecar: see `isDeciding`. */
	readonly isDeciding: boolean;
	/** Whether the rule stands in the base chain itself: what returns there is left to the policy. */
	readonly isInBaseChain: boolean;
	readonly answer: RuleAnswer;
	/** The packet as it was when this rule was asked. */
	readonly facts: PacketFacts;
};

/** One base chain that a packet met, with every rule that was asked there, in the chains behind it as well. Rules behind the one that ended the way were not asked, and do not stand here. */
export type AskedChain = {
	readonly traversal: Traversal;
	/** Of a native nft table, whose words are others. */
	readonly isNative: boolean;
	readonly rules: readonly AskedRule[];
};

/** Where our reading of the rules and the kernel differ. */
export type Contradiction =
	/** The trace shows a rule as matched that by our reading does not match. */
	| {readonly kind: 'hit-fails'; readonly rule: AskedRule; readonly isNative: boolean}
	/** By our reading a rule matches that the kernel came by, and the trace does not show it. */
	| {readonly kind: 'match-without-hit'; readonly rule: AskedRule; readonly isNative: boolean}
	/** The trace shows a rule that by our reading was not due: its chain was left, or never entered. */
	| {readonly kind: 'out-of-way'; readonly hit: RuleHit};

/** All that is to be said of one leg. */
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

function contradictionsIn({rules, isNative}: AskedChain): readonly Contradiction[] {
	return rules.flatMap((rule): readonly Contradiction[] => {
		if (rule.isHit) {
			return rule.answer.kind === 'fails' ? [{kind: 'hit-fails', rule, isNative}] : [];
		}

		return rule.answer.kind === 'matches' ? [{kind: 'match-without-hit', rule, isNative}] : [];
	});
}

/** How a chain was left: `over` is the way through the base chain, `back` leads to the rule behind the jump. */
type Leaving = 'over' | 'back';

/** One packet's way through one base chain, by the hits of the trace. */
class Walk {
	state: PacketState;
	readonly #traversal: Traversal;
	readonly #leg: Leg;
	readonly #ruleSet: MeshRules;
	readonly #table: Table | undefined;
	readonly #isNative: boolean;
	readonly #rules: AskedRule[] = [];
	/** How many of the traversal's hits are accounted for. */
	#used = 0;

	constructor({leg, traversal, ruleSet, state}: {readonly leg: Leg; readonly traversal: Traversal; readonly ruleSet: MeshRules; readonly state: PacketState}) {
		this.state = state;
		this.#leg = leg;
		this.#traversal = traversal;
		this.#ruleSet = ruleSet;
		this.#table = findTable(ruleSet, traversal);
		this.#isNative = this.#table !== undefined && isNativeTable(this.#table);
	}

	/** The hits that the walk did not come to. */
	get left(): readonly RuleHit[] {
		return this.#traversal.hits.slice(this.#used);
	}

	explain(): AskedChain {
		const chain = this.#chain(this.#traversal.chain);
		if (chain !== undefined) {
			this.#walk(chain);
		}

		return {traversal: this.#traversal, isNative: this.#isNative, rules: this.#rules};
	}

	#chain(name: string): Chain | undefined {
		return this.#table?.chains.find(chain => chain.name === name);
	}

	/** Every way down takes a hit with it, so that even a set whose chains lead round comes to an end. */
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

	/** Notes a rule, and returns its hit if it has one. */
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
			purpose: role === null ? null : mesh.roles[role]!.purpose,
			target: rule.target,
			isHit: hit !== undefined,
			isDeciding: hit !== undefined && isDeciding(hit, this.#ruleSet),
			isInBaseChain: chain.name === base,
			answer: askRule(rule, facts, {isNative: this.#isNative}),
			facts,
		});
		if (hit !== undefined) {
			this.#used++;
			this.state = applyRule(this.state, rule);
		}

		return hit;
	}

	/** What comes of a hit; undefined when the next rule is asked. */
	#follow({target}: Rule, hit: RuleHit): Leaving | undefined {
		const verdict = hit.verdict ?? verdictOfTarget(hit, this.#ruleSet);
		if (verdict === 'return') {
			return 'back';
		}

		if (verdict !== 'jump' && verdict !== 'goto') {
			return finalVerdicts.has(verdict) ? 'over' : undefined;
		}

		// Where a verdict map leads is to be seen only where something matched there.
		const following = this.#traversal.hits[this.#used]?.chain;
		const name = target.kind === 'jump' || target.kind === 'goto' ? target.chain : (following === hit.chain ? undefined : following);
		const chain = name === undefined ? undefined : this.#chain(name);
		const leaving = chain === undefined ? 'back' : this.#walk(chain);
		return leaving === 'over' || verdict === 'goto' ? leaving : undefined;
	}
}
