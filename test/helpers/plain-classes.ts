/* eslint max-lines: off -- One walk, whole, as it was before it was made fast. */
/**
The classes of rule sets the plain way: each condition is asked of each cut of its field, and each set goes through each rule. It is what `src/packet-classes` has to come to, sooner.
*/

import {applyRule, enterChain, factsAt, freshPacket, type PacketFacts, type PacketState} from '../../src/judge/explain/packet-facts.js';
import {askMatch} from '../../src/judge/explain/match-rule.js';
import {conntrackNeedOf} from '../../src/netfilter/conntrack-need.js';
import {tablesOf} from '../../src/netfilter/lookup.js';
import type {Endpoint, Leg, Traversal} from '../../src/netfilter/path.js';
import type {
	AddressFamily, Chain, Hook, Match, Rule, Target,
} from '../../src/netfilter/types.js';
import {chainsByHook, type ChainInTable} from '../../src/packet-classes/base-chains.js';
import type {ClassSet, PacketClass} from '../../src/packet-classes/classify.js';
import {
	fieldOf, isAsSent, isUnknownThere, withValue, type Bound, type Progress,
} from '../../src/packet-classes/condition-field.js';
import {
	divideFields, packetKinds, type FieldName, type Fields,
} from '../../src/packet-classes/fields.js';
import {translationOf} from '../../src/packet-classes/nat.js';
import {
	intervalsIn, within, without, type PacketSet,
} from '../../src/packet-classes/packet-set.js';
import {
	isOwnAddress, placesOf, rangesOf, situationsIn, type Origin, type Places, type Situation,
} from '../../src/packet-classes/packet-space.js';
import type {PathCondition, Program, WalkedRule} from '../../src/packet-classes/symbolic-walk.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {finalVerdict} from '../../src/trace/lookup.js';

/** The classes, and those that are left out, in the order of `classify`. */
export function plainClasses(programs: readonly Program[], family: AddressFamily): Pick<ClassSet, 'classes' | 'leftOut'> {
	const places = placesOf(defaultTopology, family);
	const fields = divideFields(programs.map(({ruleSet}) => ruleSet), {
		family, ranges: rangesOf(places), routed: programs.flatMap(({localMarks}) => localMarks.map(({mark, mask}) => ({value: mark, mask}))),
	});
	const {situations, leftOut} = situationsIn(fields, places);
	const walkers = programs.map(program => new PlainWalker(program, {fields, places}));
	const cut = (situation: Situation): readonly PacketClass[] => {
		let joint: ReadonlyArray<Pick<PacketClass, 'packetSet' | 'predicted'>> = [{packetSet: situation.packetSet, predicted: []}];
		for (const walker of walkers) {
			joint = joint.flatMap(({packetSet, predicted}) => walker.pathConditions(situation, packetSet)
				.map(({packetSet: part, ...pathCondition}) => ({packetSet: part, predicted: [...predicted, pathCondition]})));
		}

		return joint.map(each => ({
			family, origin: situation.origin, isLocal: situation.isLocal, ...each,
		}));
	};

	return {
		classes: situations.flatMap(situation => cut(situation)),
		leftOut: leftOut.map(left => ({
			kind: left.kind, because: left.because, origin: left.origin, classes: cut(left),
		})),
	};
}

/** Where a condition looks: at a field as it was sent, at something that is the same for the whole set, or at what is not known. */
type Asked = {readonly field: FieldName; readonly set: bigint} | boolean | 'not-known';

/** As much of a set's way as its conditions can ask for. */
type Standing = Progress & {readonly packet: PacketState; readonly outInterface: string | undefined; readonly placed: ChainInTable | undefined};

/** Answers for the packets of one family; what a condition holds for is worked out once. */
class Conditions {
	readonly #fields: Fields;
	readonly #sets = new Map<Match, bigint>();

	constructor(fields: Fields) {
		this.#fields = fields;
	}

	/** What a condition asks of a set of packets where they are now. */
	answer(match: Match, state: Standing, origin: Origin): Asked {
		const field = fieldOf[match.kind];
		if (field !== undefined && isAsSent(field, state, origin)) {
			return {field, set: this.#setOf(match, field, state)};
		}

		if (isUnknownThere(field, state)) {
			return 'not-known';
		}

		return askMatch(match, this.#facts(state), {language: state.placed!.language});
	}

	/** The cuts of a field that a condition holds for. */
	#setOf(match: Match, field: FieldName, state: Standing): bigint {
		const known = this.#sets.get(match);
		if (known !== undefined) {
			return known;
		}

		let set = 0n;
		const facts = this.#facts(state);
		for (const [place, {first}] of this.#fields.intervals[field].entries()) {
			if (askMatch(match, withValue(facts, field, {value: first, fields: this.#fields}), {language: state.placed!.language}) === true) {
				set |= 1n << BigInt(place);
			}
		}

		this.#sets.set(match, set);
		return set;
	}

	/** A packet of the set, where it is now. Its fields as they were sent are not asked here, so any value does. */
	#facts({packet, from, to, hook, inInterface, outInterface, placed}: Standing): PacketFacts {
		const {family} = this.#fields;
		const nowhere: Endpoint = {address: family === 'ipv4' ? '0.0.0.0' : '::', port: 0};
		const [source, destination] = [from, to].map(bound => typeof bound === 'object' ? bound : nowhere) as [Endpoint, Endpoint];
		const leg: Leg = {
			actor: '', family, protocol: 'tcp', from: source, to: typeof to === 'object' ? nowhere : destination, socket: {uid: 0, gid: 0}, traversals: [], end: {kind: 'refused'},
		};
		const traversal: Traversal = {
			hook, family: placed!.table.family, table: placed!.table.name, chain: placed!.chain.name, hits: [], end: {by: 'open'}, inInterface, outInterface, source, destination,
		};
		return factsAt(leg, traversal, packet);
	}
}

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
class PlainWalker {
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

	/** After OUTPUT the kernel routes again by address and mark (`ip_route_me_harder`). */
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
				isKnown: state.isKnown && !(state.placed!.language === 'nft' && rule.target.kind === 'extension'),
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
