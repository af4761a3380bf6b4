/**
Moves sets of packets through a rule set according to the model of the rules: each condition splits a set into the packets that satisfy it and those that do not. The results are classes: sets of packets that meet the same rules. The model never says what the kernel does; it says which packets need not be sent twice.
*/

import {conntrackNeedOf} from '../netfilter/conntrack-need.js';
import {chainOf, tablesOf} from '../netfilter/lookup.js';
import type {
	Chain, Hook, Match, Rule, RuleSet, Target,
} from '../netfilter/types.js';
import {applyRule, enterChain, freshPacket} from '../judge/explain/packet-facts.js';
import {finalVerdict} from '../trace/lookup.js';
import {semanticsOf} from '../netfilter/semantics.js';
import {isAsSent} from './condition-field.js';
import {chainsByHook, type ChainInTable} from './base-chains.js';
import {
	intervalsIn, within, without, type PacketSet,
} from './packet-set.js';
import {
	boundsOf, boundsWithin, boundsWithout, ChainIndex, withField,
} from './chain-index.js';
import {ConditionSets} from './condition-sets.js';
import {Conditions} from './conditions.js';
import {fieldNames, packetKinds, type Fields} from './fields.js';
import {translationOf} from './nat.js';
import {
	isOwnAddress, networkDevice, type Origin, type Places, type Situation,
} from './packet-space.js';
import type {Budget} from './limit.js';
import type {Steps} from './steps.js';
import {
	pathConditionOf, type Frame, type PathCondition, type Rules, type State, type WalkedRule,
} from './walk-state.js';

/** A rule set to walk: its rules, and the marks with which the routing table of the sandbox delivers a packet locally. */
export type Program = {readonly ruleSet: RuleSet; readonly localMarks: ReadonlyArray<{readonly mark: number; readonly mask: number}>};

export type {PathCondition, WalkedRule} from './walk-state.js';

/** How much is done between two pauses: a few milliseconds. It counts sets that continue, and every 64 rules that they pass. */
const turn = 2000;
const passedPerStep = 64;
const markIndex = fieldNames.indexOf('mark');

/** Packets of different kinds are never in one set. */
const invalidOnly = 1n << BigInt(packetKinds.indexOf('invalid'));

/** Moves sets of packets through one program. */
export class SymbolicWalker {
	readonly #fields: Fields;
	readonly #places: Places;
	readonly #program: Program;
	readonly #chains: Readonly<Record<Hook, readonly ChainInTable[]>>;
	readonly #isNatAsked: boolean;
	readonly #conditions: Conditions;
	readonly #conditionSets: ConditionSets;
	readonly #local: bigint;
	readonly #rules = new Map<Rule, WalkedRule>();
	readonly #indices = new Map<Chain, ChainIndex>();
	#steps = 0;

	constructor(program: Program, {fields, places, conditionSets = new ConditionSets(fields)}: {readonly fields: Fields; readonly places: Places; readonly conditionSets?: ConditionSets}) {
		this.#fields = fields;
		this.#places = places;
		this.#program = program;
		this.#conditions = new Conditions(fields.family);
		this.#conditionSets = conditionSets;
		this.#chains = chainsByHook(program.ruleSet, fields.family);
		this.#isNatAsked = conntrackNeedOf(tablesOf(program.ruleSet, fields.family)) !== 'no';
		this.#local = this.#localMarks();
	}

	/**
	Divides a set of packets into classes.

	@throws {ClassLimitError} if there are more than the budget has left.
	*/
	* pathConditions({origin, isLocal, device}: Pick<Situation, 'origin' | 'isLocal' | 'device'>, packetSet: PacketSet, budget: Budget): Steps<readonly PathCondition[]> {
		const start: Omit<State, 'packetSet' | 'bounds'> = {
			hook: origin === 'pod' ? 'output' : 'prerouting',
			chainsDone: 0,
			placed: undefined,
			frame: undefined,
			packet: freshPacket(0),
			isMarkSent: true,
			from: undefined,
			to: undefined,
			inInterface: origin === 'pod' ? undefined : networkDevice,
			outInterface: origin === 'pod' ? (isLocal ? 'lo' : networkDevice) : undefined,
			device,
			hits: undefined,
			isKnown: true,
			doubts: undefined,
		};
		// A socket's own mark determines its route before any rule, unless its device does.
		const local = isLocal || origin !== 'pod' || device !== undefined ? 0n : this.#local;
		const pathConditions: PathCondition[] = [];
		for (const [part, outInterface] of [[without(packetSet, 'mark', local), start.outInterface], [within(packetSet, 'mark', local), 'lo']] as const) {
			if (part !== undefined) {
				const ends = yield * this.#run({
					...start, outInterface, packetSet: part, bounds: boundsOf(part),
				}, {origin, isInner: false, budget});
				for (const end of ends) {
					pathConditions.push(pathConditionOf(end));
				}
			}
		}

		return pathConditions;
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

	/** Continues until nothing is open; returns the finished sets. */
	* #run(start: State, walk: Walk): Steps<readonly State[]> {
		const ends: State[] = [];
		const open: State[] = [start];
		for (let state = open.pop(); state !== undefined; state = open.pop()) {
			if (++this.#steps >= turn) {
				this.#steps = 0;
				yield;
			}

			const {frame} = state;
			if (frame === undefined) {
				const next = walk.isInner ? undefined : this.#enter(state, walk.origin);
				if (next === undefined) {
					ends.push(state);
					walk.budget.check(ends.length + open.length);
				} else {
					open.push(next);
				}

				continue;
			}

			const {rules: {chain: {rules}}} = frame;
			const place = this.#nextTouched(frame, state, walk.origin);
			const rule = rules[place];
			if (rule === undefined) {
				open.push(this.#leave(state));
				continue;
			}

			const {isDoubtful, inside} = this.#ask({...state, frame: {...frame, next: place + 1}}, rule, walk.origin, open);
			if (inside !== undefined) {
				open.push(...(isDoubtful ? yield * this.#doubt(inside, rule, walk) : this.#apply(inside, rule, walk.isInner)));
			}
		}

		return ends;
	}

	/** The next rule of the chain that affects a set. */
	#nextTouched({rules, next}: Frame, state: State, origin: Origin): number {
		let asSent = 0;
		for (const [index, name] of fieldNames.entries()) {
			asSent |= Number(isAsSent(name, state, origin)) << index;
		}

		const place = rules.nextTouched(next, {
			packetSet: state.packetSet, bounds: state.bounds, asSent, answer: (match: Match) => this.#conditions.answer(match, state),
		});
		this.#steps += (place - next) / passedPerStep;
		return place;
	}

	/** The next base chain that the kernel consults, if there is one. */
	#enter(state: State, origin: Origin): State | undefined {
		const isOverLo = state.inInterface === 'lo';
		const placed = this.#chains[state.hook][state.chainsDone];
		if (placed === undefined) {
			return this.#nextHook(state, origin);
		}

		const entered: State = {...state, chainsDone: state.chainsDone + 1};
		// Over lo, the packet's connection is already translated; an invalid packet has no connection, nor has any if conntrack is off (`nf_nat_inet_fn` in net/netfilter/nf_nat_core.c).
		const isInvalid = state.packetSet.packet === invalidOnly;
		// A packet that one chain has translated skips the other nat chains of its hook.
		const isTranslated = (state.hook === 'output' || state.hook === 'prerouting' ? state.to : state.from) !== undefined;
		if ((!this.#isNatAsked || isOverLo || isInvalid || isTranslated) && placed.base.type === 'nat') {
			return entered;
		}

		return {
			...entered,
			placed,
			frame: {rules: this.#indexOf(placed.chain), next: 0, below: undefined},
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
				return at('postrouting', {outInterface: this.#isDeliveredHere(state) ? 'lo' : state.device ?? state.outInterface});
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

	/** After OUTPUT the kernel routes again by address and mark (`ip_route_me_harder`). */
	#isDeliveredHere({to, packet: {mark}, outInterface, device, isMarkSent}: State): boolean {
		if (device !== undefined) {
			// Only the pod's own address has a local route of that device: see `boundSituationsIn`.
			return typeof to === 'object' ? isOwnAddress(to.address, this.#fields.family, {...this.#places, loopback: []}) : outInterface === 'lo';
		}

		const isMarked = !isMarkSent && mark !== undefined && this.#program.localMarks.some(each => ((mark & each.mask) >>> 0) === each.mark);
		return outInterface === 'lo' || isMarked || (typeof to === 'object' && isOwnAddress(to.address, this.#fields.family, this.#places));
	}

	/** The end of a chain was reached. */
	#leave(state: State): State {
		const frame = state.frame?.below;
		return frame !== undefined || state.placed?.chain.policy !== 'DROP' ? {...state, frame} : this.#drop(state);
	}

	/** No further rule is tested. */
	#drop(state: State): State {
		return {
			...state, frame: undefined, hook: 'input', chainsDone: Number.MAX_SAFE_INTEGER,
		};
	}

	/** Splits a set by the conditions of a rule: packets that do not satisfy them continue at once, into `open`. */
	#ask(state: State, rule: Rule, origin: Origin, open: State[]): {readonly isDoubtful: boolean; readonly inside: State | undefined} {
		let inside = state;
		let isDoubtful = false;
		for (const match of rule.matches) {
			const conditionSet = this.#conditionSets.of(match);
			if (conditionSet === undefined || !isAsSent(conditionSet.field, inside, origin)) {
				const answer = this.#conditions.answer(match, state);
				if (answer === false) {
					open.push(inside);
					return {isDoubtful, inside: undefined};
				}

				isDoubtful ||= answer === 'not-known';
				continue;
			}

			const {field, set} = conditionSet;
			const own = inside.packetSet[field];
			const common = own & set;
			if (common === 0n) {
				open.push(inside);
				return {isDoubtful, inside: undefined};
			}

			if (common !== own) {
				open.push({...inside, packetSet: {...inside.packetSet, [field]: own ^ common}, bounds: boundsWithout(inside.bounds, conditionSet)});
				inside = {...inside, packetSet: {...inside.packetSet, [field]: common}, bounds: boundsWithin(inside.bounds, conditionSet)};
			}
		}

		return {isDoubtful, inside};
	}

	/** A condition that is not understood: some packets may continue into the rule's chain, so they are divided by that chain as well. */
	* #doubt(state: State, rule: Rule, {origin, budget}: Walk): Steps<readonly State[]> {
		const doubts: Rules = {rule: this.#place(rule, state), before: state.doubts};
		const chain = rule.target.kind === 'jump' || rule.target.kind === 'goto' ? this.#chainOf(state, rule.target.chain) : undefined;
		if (chain === undefined) {
			return [{...state, isKnown: false, doubts}];
		}

		const ends = yield * this.#run({...state, doubts, frame: {rules: this.#indexOf(chain), next: 0, below: undefined}}, {origin, isInner: true, budget});
		return ends.map(end => ({
			...state, packetSet: end.packetSet, bounds: end.bounds, isKnown: false, doubts: end.doubts,
		}));
	}

	#chainOf({placed}: State, name: string): Chain | undefined {
		return chainOf(placed?.table, name);
	}

	#indexOf(chain: Chain): ChainIndex {
		let index = this.#indices.get(chain);
		if (index === undefined) {
			index = new ChainIndex(chain, this.#conditionSets);
			this.#indices.set(chain, index);
		}

		return index;
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
				// Some statements of nft can leave their rule without having acted; then there is no hit.
				isKnown: state.isKnown && !(semanticsOf(state.placed!.language).canActionFail && rule.target.kind === 'extension'),
			};
			const {target} = rule;
			if (target.kind === 'jump' || target.kind === 'goto') {
				const chain = this.#chainOf(hit, target.chain);
				const below = target.kind === 'goto' ? hit.frame?.below : hit.frame;
				return chain === undefined ? {...hit, isKnown: false} : {...hit, frame: {rules: this.#indexOf(chain), next: 0, below}};
			}

			if (target.kind === 'verdict' && target.verdict === 'return') {
				return this.#leave(hit);
			}

			const verdict = finalVerdict(target);
			if (verdict === undefined) {
				return hit;
			}

			const ended: State = {...hit, frame: undefined};
			return verdict === 'accept' ? {...ended, ...translationOf(target, ended, {family: this.#fields.family, pod: this.#places.pod})} : (isInner ? ended : this.#drop(ended));
		});
	}

	/** A target that changes some bits of the socket's own mark makes a new mark from each. */
	#withMark(state: State, target: Target): readonly State[] {
		const isAsked = target.kind === 'set-mark' || target.kind === 'save-mark' || target.kind === 'tproxy' || target.kind === 'restore-mark';
		if (!isAsked || !state.isMarkSent) {
			return [state];
		}

		return intervalsIn(state.packetSet.mark).map(place => ({
			...state,
			packetSet: {...state.packetSet, mark: 1n << BigInt(place)},
			bounds: withField(state.bounds, markIndex, place, place),
			isMarkSent: false,
			packet: {...state.packet, mark: Number(this.#fields.intervals.mark[place]!.first)},
		}));
	}
}

/** `isInner`: only until the current chain is left. */
type Walk = {readonly origin: Origin; readonly isInner: boolean; readonly budget: Budget};
