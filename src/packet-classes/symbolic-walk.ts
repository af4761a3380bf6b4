/**
Sets of packets on their way through a rule set, by our reading of the rules: each condition parts a set in those that meet it and those that do not. What comes out are classes: sets of packets that meet the same rules. The reading never says what the kernel does; it says which packets need not be asked twice.
*/

import {conntrackNeedOf} from '../netfilter/conntrack-need.js';
import {tablesOf} from '../netfilter/lookup.js';
import type {RuleHit} from '../netfilter/path.js';
import type {
	Chain, Hook, Rule, RuleSet, Target,
} from '../netfilter/types.js';
import {
	applyRule, enterChain, freshPacket, type PacketState,
} from '../judge/explain/packet-facts.js';
import {finalVerdict} from '../trace/lookup.js';
import type {Bound} from './condition-field.js';
import {chainsByHook, type ChainInTable} from './base-chains.js';
import {
	intervalsIn, within, without, type PacketSet,
} from './packet-set.js';
import {Conditions} from './conditions.js';
import {packetKinds, type Fields} from './fields.js';
import {translationOf} from './nat.js';
import {isOwnAddress, type Origin, type Places, type Situation} from './packet-space.js';

/** A rule set as it is walked: its rules, and the marks with which the routing table of the sandbox delivers a packet locally. */
export type Program = {readonly ruleSet: RuleSet; readonly localMarks: ReadonlyArray<{readonly mark: number; readonly mask: number}>};

/** A rule by its place, as in a path. */
export type WalkedRule = Pick<RuleHit, 'family' | 'table' | 'chain'> & {readonly number: number; readonly text: string};

/** One packet class: what becomes of all of them, by the reading. */
export type PathCondition = {
	readonly packetSet: PacketSet;
	/** The rules that they meet, in order; undefined where a condition on the way is not understood. */
	readonly hits: readonly WalkedRule[] | undefined;
	/** Rules with a condition that is not understood, and that these packets come to. */
	readonly doubts: readonly WalkedRule[];
};

type Frame = {readonly chain: Chain; readonly next: number};
type Hits = {readonly rule: WalkedRule; readonly before: Hits | undefined};
type State = {
	readonly packetSet: PacketSet;
	readonly hook: Hook;
	/** How many base chains of the hook are behind it. */
	readonly chainsDone: number;
	readonly placed: ChainInTable | undefined;
	readonly frames: readonly Frame[];
	readonly packet: PacketState;
	/** Whether the mark is still the socket's. */
	readonly isMarkSent: boolean;
	readonly from: Bound;
	readonly to: Bound;
	readonly inInterface: string | undefined;
	readonly outInterface: string | undefined;
	readonly hits: Hits | undefined;
	readonly isKnown: boolean;
	readonly doubts: ReadonlySet<WalkedRule>;
};

/** Kinds of packets are never in one set together. */
const invalidOnly = 1n << BigInt(packetKinds.indexOf('invalid'));

/** Walks sets of packets through one program. */
export class SymbolicWalker {
	readonly #fields: Fields;
	readonly #places: Places;
	readonly #program: Program;
	readonly #chains: Readonly<Record<Hook, readonly ChainInTable[]>>;
	readonly #isNatAsked: boolean;
	readonly #conditions: Conditions;
	readonly #rules = new Map<Rule, WalkedRule>();

	constructor(program: Program, {fields, places}: {readonly fields: Fields; readonly places: Places}) {
		this.#fields = fields;
		this.#places = places;
		this.#program = program;
		this.#conditions = new Conditions(fields);
		this.#chains = chainsByHook(program.ruleSet, fields.family);
		this.#isNatAsked = conntrackNeedOf(tablesOf(program.ruleSet, fields.family)) !== 'no';
	}

	/** Cuts a set of packets into classes. */
	pathConditions({origin, isLocal}: Pick<Situation, 'origin' | 'isLocal'>, packetSet: PacketSet): readonly PathCondition[] {
		const start: State = {
			packetSet,
			hook: origin === 'pod' ? 'output' : 'prerouting',
			chainsDone: 0,
			placed: undefined,
			frames: [],
			packet: freshPacket(0),
			isMarkSent: true,
			from: undefined,
			to: undefined,
			inInterface: origin === 'pod' ? undefined : 'eth0',
			outInterface: origin === 'pod' ? (isLocal ? 'lo' : 'eth0') : undefined,
			hits: undefined,
			isKnown: true,
			doubts: new Set(),
		};
		// A socket's own mark decides its route before any rule is asked.
		const local = isLocal || origin !== 'pod' ? 0n : this.#localMarks();
		return [
			...this.#runWithin(start, without(packetSet, 'mark', local), origin),
			...this.#runWithin({...start, outInterface: 'lo'}, within(packetSet, 'mark', local), origin),
		];
	}

	#runWithin(start: State, packetSet: PacketSet | undefined, origin: Origin): readonly PathCondition[] {
		return packetSet === undefined ? [] : this.#run({...start, packetSet}, origin, false);
	}

	/** The marks that are routed to the pod itself. */
	#localMarks(): bigint {
		let set = 0n;
		for (const [place, {first}] of this.#fields.intervals.mark.entries()) {
			if (this.#program.localMarks.some(({mark, mask}) => ((Number(first) & mask) >>> 0) === mark)) {
				set |= 1n << BigInt(place);
			}
		}

		return set;
	}

	/** `isInner`: only until the chain that is walked is left. */
	#run(start: State, origin: Origin, isInner: boolean): readonly PathCondition[] {
		const pathConditions: PathCondition[] = [];
		const open: State[] = [start];
		for (let state = open.pop(); state !== undefined; state = open.pop()) {
			const frame = state.frames.at(-1);
			if (frame === undefined) {
				const next = isInner ? undefined : this.#enter(state, origin);
				if (next === undefined) {
					pathConditions.push(pathConditionOf(state));
				} else {
					open.push(next);
				}
			} else {
				const rule = frame.chain.rules[frame.next];
				if (rule === undefined) {
					open.push(this.#leave(state));
				} else {
					open.push(...this.#ask({...state, frames: [...state.frames.slice(0, -1), {chain: frame.chain, next: frame.next + 1}]}, rule, origin, isInner));
				}
			}
		}

		return pathConditions;
	}

	/** The next base chain that the kernel consults, if there is one. */
	#enter(state: State, origin: Origin): State | undefined {
		const isOverLo = state.inInterface === 'lo';
		const placed = this.#chains[state.hook][state.chainsDone];
		if (placed === undefined) {
			return this.#nextHook(state, origin);
		}

		const entered: State = {...state, chainsDone: state.chainsDone + 1};
		// Over lo the packet's connection has its translation already, and an invalid one has no connection, as none has where conntrack is off (`nf_nat_inet_fn` in net/netfilter/nf_nat_core.c).
		const isInvalid = state.packetSet.packet === invalidOnly;
		// What one chain has translated is asked of no other of its hook.
		const isTranslated = (state.hook === 'output' || state.hook === 'prerouting' ? state.to : state.from) !== undefined;
		if ((!this.#isNatAsked || isOverLo || isInvalid || isTranslated) && placed.base.type === 'nat') {
			return entered;
		}

		return {
			...entered,
			placed,
			frames: [{chain: placed.chain, next: 0}],
			packet: isInvalid
				? state.packet
				: enterChain(state.packet, {
					family: placed.table.family, table: placed.table.name, chain: placed.chain.name, hook: state.hook,
				}, this.#program.ruleSet),
		};
	}

	#nextHook(state: State, origin: Origin): State | undefined {
		const at = (hook: Hook, changed: Partial<State> = {}): State => ({
			...state, ...changed, hook, chainsDone: 0, placed: undefined,
		});
		switch (state.hook) {
			case 'output': {
				return at('postrouting', {outInterface: this.#isDeliveredHere(state) ? 'lo' : state.outInterface});
			}

			case 'postrouting': {
				return origin === 'pod' && state.outInterface === 'lo' ? at('prerouting', {inInterface: 'lo', outInterface: undefined}) : undefined;
			}

			case 'prerouting': {
				return at('input');
			}

			case 'input':
			case 'forward': {
				return undefined;
			}
		}
	}

	/** After OUTPUT the kernel routes anew by address and mark (`ip_route_me_harder`). */
	#isDeliveredHere({to, packet: {mark}, outInterface, isMarkSent}: State): boolean {
		const isMarked = !isMarkSent && mark !== undefined && this.#program.localMarks.some(each => ((mark & each.mask) >>> 0) === each.mark);
		return outInterface === 'lo' || isMarked || (typeof to === 'object' && isOwnAddress(to.address, this.#fields.family, this.#places));
	}

	/** A chain came to its end. */
	#leave(state: State): State {
		const frames = state.frames.slice(0, -1);
		return frames.length > 0 || state.placed?.chain.policy !== 'DROP' ? {...state, frames} : this.#drop(state);
	}

	/** Nothing is asked any more. */
	#drop(state: State): State {
		return {
			...state, frames: [], hook: 'input', chainsDone: Number.MAX_SAFE_INTEGER,
		};
	}

	#ask(state: State, rule: Rule, origin: Origin, isInner: boolean): readonly State[] {
		const out: State[] = [];
		let inside: State | undefined = state;
		let isDoubtful = false;
		for (const match of rule.matches) {
			const asked = this.#conditions.answer(match, inside, origin);
			if (asked === 'not-known') {
				isDoubtful = true;
			} else if (asked === false) {
				return [...out, inside];
			} else if (asked !== true) {
				const [yes, no]: ReadonlyArray<PacketSet | undefined> = [within(inside.packetSet, asked.field, asked.set), without(inside.packetSet, asked.field, asked.set)];
				if (no !== undefined) {
					out.push({...inside, packetSet: no});
				}

				if (yes === undefined) {
					return out;
				}

				inside = {...inside, packetSet: yes};
			}
		}

		return [...out, ...(isDoubtful ? this.#doubt(inside, rule, origin) : this.#apply(inside, rule, isInner))];
	}

	/** A condition that is not understood: some packets may go on into the rule's chain, so they are cut by that as well. */
	#doubt(state: State, rule: Rule, origin: Origin): readonly State[] {
		const doubts = new Set([...state.doubts, this.#place(rule, state)]);
		const chain = rule.target.kind === 'jump' || rule.target.kind === 'goto' ? this.#chainOf(state, rule.target.chain) : undefined;
		const pathConditions: readonly PathCondition[] = chain === undefined
			? [{packetSet: state.packetSet, hits: undefined, doubts: []}]
			: this.#run({...state, frames: [{chain, next: 0}]}, origin, true);
		return pathConditions.map(pathCondition => ({
			...state, packetSet: pathCondition.packetSet, isKnown: false, doubts: new Set([...doubts, ...pathCondition.doubts]),
		}));
	}

	#chainOf({placed}: State, name: string): Chain | undefined {
		return placed?.table.chains.find(chain => chain.name === name);
	}

	#place(rule: Rule, {placed}: State): WalkedRule {
		let known = this.#rules.get(rule);
		if (known === undefined) {
			known = {
				family: placed!.table.family, table: placed!.table.name, chain: rule.chain, number: rule.number, text: rule.text,
			};
			this.#rules.set(rule, known);
		}

		return known;
	}

	/** What a rule does with the packets that it matches. */
	#apply(matched: State, rule: Rule, isInner: boolean): readonly State[] {
		return this.#withMark(matched, rule.target).map(state => {
			const hit: State = {
				...state,
				hits: {rule: this.#place(rule, state), before: state.hits},
				packet: applyRule(state.packet, rule),
				// Some statements of nft can leave their rule without having acted; then it is no hit.
				isKnown: state.isKnown && !(state.placed!.isNative && rule.target.kind === 'extension'),
			};
			const {target} = rule;
			if (target.kind === 'jump' || target.kind === 'goto') {
				const chain = this.#chainOf(hit, target.chain);
				const rest = target.kind === 'goto' ? hit.frames.slice(0, -1) : hit.frames;
				return chain === undefined ? {...hit, isKnown: false} : {...hit, frames: [...rest, {chain, next: 0}]};
			}

			if (target.kind === 'verdict' && target.verdict === 'return') {
				return this.#leave(hit);
			}

			const verdict = finalVerdict(target);
			if (verdict === undefined) {
				return hit;
			}

			const ended: State = {...hit, frames: []};
			return verdict === 'accept' ? {...ended, ...translationOf(target, ended, {family: this.#fields.family, pod: this.#places.pod})} : (isInner ? ended : this.#drop(ended));
		});
	}

	/** A target that changes some bits of the socket's own mark makes another mark of each. */
	#withMark(state: State, target: Target): readonly State[] {
		const isAsked = target.kind === 'set-mark' || target.kind === 'save-mark' || target.kind === 'tproxy' || target.kind === 'restore-mark';
		if (!isAsked || !state.isMarkSent) {
			return [state];
		}

		return intervalsIn(state.packetSet.mark).map(place => ({
			...state, packetSet: {...state.packetSet, mark: 1n << BigInt(place)}, isMarkSent: false, packet: {...state.packet, mark: Number(this.#fields.intervals.mark[place]!.first)},
		}));
	}
}

function pathConditionOf({packetSet, hits, isKnown, doubts}: State): PathCondition {
	const walked: WalkedRule[] = [];
	for (let hit = hits; hit !== undefined; hit = hit.before) {
		walked.push(hit.rule);
	}

	return {packetSet, hits: isKnown ? walked.toReversed() : undefined, doubts: [...doubts]};
}
