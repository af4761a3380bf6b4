/**
The one simulator of the tests: a packet through a rule set, rule by rule, with all of its values known. It is the opposite of the walk of sets in `src/packet-classes/symbolic-walk.ts`, which it is there to check, and it makes the legs of reports and comparisons that nobody wants to type. What a single rule says of a packet is asked of a reader, of that of explanations (`src/judge/explain`) unless a test brings another, and what the proxy carries on of the model (`src/model/stub.ts`). What netfilter does is shown by the tests in test/kernel.
*/

import {applyRule, enterChain, freshPacket, type PacketFacts, type PacketState} from '../../src/judge/explain/packet-facts.js';
import {askRule} from '../../src/judge/explain/match-rule.js';
import {conntrackNeedOf} from '../../src/netfilter/conntrack-need.js';
import {baseChainOf, tableFamily} from '../../src/netfilter/lookup.js';
import type {Endpoint, RuleHit, Traversal} from '../../src/netfilter/path.js';
import type {
	AddressFamily, BaseChain, Chain, Hook, Rule, Table, Verdict,
} from '../../src/netfilter/types.js';
import type {NextLeg} from '../../src/model/stub.js';
import type {ExactPacket} from '../../src/packet-classes/class-of-packet.js';
import type {Program} from '../../src/packet-classes/symbolic-walk.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {finalVerdict} from '../../src/trace/lookup.js';

/** A rule that a packet met. */
export type Met = {readonly hook: Hook; readonly table: Table; readonly base: string; readonly rule: Rule};

/** The result for a packet: the rules that it met, the base chains that it entered, where it was sent, the socket that it came to (another one than it was sent to under TPROXY), whether it was dropped, and by which hook it left netfilter where it was not. */
export type Walked = {readonly met: readonly Met[]; readonly traversals: readonly Traversal[]; readonly to: Endpoint; readonly deliveredTo: Endpoint; readonly isDropped: boolean; readonly arrivedBy: 'input' | 'postrouting'};

type Doubt = 'not-known';

/** Whether a rule matches a packet. */
export type RuleReader = typeof askRule;

/** Walks one packet; `not-known` where a rule, or what a translation makes of the packet, is not understood. */
export function walkPacket(program: Program, packet: ExactPacket, family: AddressFamily, read: RuleReader = askRule): Walked | Doubt {
	return new Walk(program, packet, {family, read}).run();
}

/** A walk in the notation of `predictedOf`. */
export function printWalk(walked: Walked | Doubt): readonly string[] | Doubt {
	return walked === 'not-known' ? walked : walked.met.map(({table, rule}) => `${table.name} ${rule.chain}#${rule.number}`);
}

/** A leg that an actor opens, as a packet: with the source that the route gives it, and a port. */
export function packetOfNext({uid, gid, protocol, to, source, mark}: NextLeg, {family, sourcePort}: {readonly family: AddressFamily; readonly sourcePort: number}): ExactPacket {
	return {
		origin: 'pod', protocol, packet: 'first', source: source ?? routedSource(to.address, family), sourcePort, destination: to, uid, gid, mark,
	};
}

/** The source that the route gives in the pod: the address itself over lo, else the pod's. */
export function routedSource(address: string, family: AddressFamily): string {
	return isLoopbackHere(address) ? (family === 'ipv4' ? defaultTopology.places.localhost.ipv4 : address) : defaultTopology.places.pod[family];
}

function isLoopbackHere(address: string): boolean {
	return address.startsWith('127.') || address === '::1' || address === defaultTopology.passthroughSource.ipv6;
}

class Walk {
	readonly #program: Program;
	readonly #packet: ExactPacket;
	readonly #family: AddressFamily;
	readonly #read: RuleReader;
	readonly #met: Met[] = [];
	readonly #traversals: Array<Omit<Traversal, 'hits' | 'end'> & {readonly hits: RuleHit[]; end: Traversal['end']}> = [];
	#state: PacketState;
	#to: Endpoint;
	#isRedirected = false;
	#givenPort: number | undefined;
	#inInterface: string | undefined;
	#outInterface: string | undefined;

	constructor(program: Program, packet: ExactPacket, {family, read}: {readonly family: AddressFamily; readonly read: RuleReader}) {
		this.#read = read;
		this.#program = program;
		this.#packet = packet;
		this.#family = family;
		this.#to = packet.destination;
		this.#state = freshPacket(packet.mark ?? 0);
	}

	run(): Walked | Doubt {
		const isOutgoing = this.#packet.origin === 'pod';
		this.#inInterface = isOutgoing ? undefined : 'eth0';
		const hooks: Hook[] = isOutgoing ? ['output', 'postrouting'] : ['prerouting', 'input'];
		for (let hook = hooks.shift(); hook !== undefined; hook = hooks.shift()) {
			if (isOutgoing && this.#inInterface === undefined && (this.#outInterface !== 'lo' || this.#packet.bindDevice !== undefined)) {
				this.#outInterface = this.#isDeliveredHere() ? 'lo' : 'eth0';
			}

			const end = this.#walkHook(hook);
			if (end === 'not-known') {
				return end;
			}

			if (end === 'drop') {
				return this.#ended(true);
			}

			if (hook === 'postrouting' && this.#outInterface === 'lo') {
				[this.#inInterface, this.#outInterface] = ['lo', undefined];
				hooks.push('prerouting', 'input');
			}
		}

		return this.#ended(false);
	}

	#ended(isDropped: boolean): Walked {
		return {
			met: this.#met, traversals: this.#traversals, to: this.#to, deliveredTo: {...this.#to, port: this.#givenPort ?? this.#to.port}, isDropped, arrivedBy: this.#inInterface === undefined ? 'postrouting' : 'input',
		};
	}

	#isDeliveredHere(): boolean {
		const {address} = this.#to;
		if (this.#packet.bindDevice !== undefined) {
			return address === defaultTopology.places.pod[this.#family];
		}

		return address === defaultTopology.places.pod[this.#family] || isLoopbackHere(address)
			|| this.#program.localMarks.some(({mark, mask}) => (((this.#state.mark ?? 0) & mask) >>> 0) === mark);
	}

	/** The chains of a hook as the kernel lines them up: each is put in front of the first that has no smaller priority (`nf_hook_entries_grow`), and all nat chains are one of the line, with a line of their own behind it. */
	#chainsAt(hook: Hook): readonly PlacedChain[] {
		const line: Array<{readonly priority: number; readonly asks: PlacedChain[]}> = [];
		const ofNat: PlacedChain[] = [];
		let hasNat = false;
		const tables = this.#program.ruleSet.tables.filter(({family}) => family === 'inet' || family === tableFamily(this.#family));
		for (const table of tables) {
			for (const chain of table.chains) {
				const base = baseChainOf(table, chain);
				if (base?.type === 'nat' && !hasNat) {
					hasNat = true;
					insert(line, {priority: hook === 'prerouting' || hook === 'output' ? -100 : 100, asks: ofNat});
				}

				if (base?.hook === hook) {
					if (base.type === 'nat') {
						const place = ofNat.findIndex(other => other.base.priority >= base.priority);
						ofNat.splice(place === -1 ? ofNat.length : place, 0, {table, chain, base});
					} else {
						insert(line, {priority: base.priority, asks: [{table, chain, base}]});
					}
				}
			}
		}

		return line.flatMap(({asks}) => asks);
	}

	#isNatAsked(): boolean {
		return conntrackNeedOf(this.#program.ruleSet.tables.filter(({family}) => family === 'inet' || family === tableFamily(this.#family))) !== 'no';
	}

	#walkHook(hook: Hook): 'accept' | 'drop' | Doubt {
		const isFirstPacket = this.#packet.packet === 'first';
		for (const {table, chain, base} of this.#chainsAt(hook)) {
			if (base.type === 'nat' && (!this.#isNatAsked() || !isFirstPacket || this.#inInterface === 'lo' || (this.#isRedirected && (hook === 'output' || hook === 'prerouting')))) {
				continue;
			}

			if (isFirstPacket) {
				this.#state = enterChain(this.#state, {
					family: table.family, table: table.name, chain: chain.name, hook,
				}, this.#program.ruleSet);
			}

			this.#traversals.push({
				hook, family: table.family, table: table.name, chain: chain.name, hits: [], end: {by: 'policy', verdict: chain.policy === 'DROP' ? 'drop' : 'accept'}, inInterface: this.#inInterface, outInterface: this.#outInterface, source: {address: this.#packet.source, port: this.#packet.sourcePort}, destination: this.#to,
			});
			const decided = this.#walkChain(chain, {hook, table, base: chain});
			if (decided === 'accept' || decided === 'drop') {
				this.#traversals.at(-1)!.end = {by: 'rule', verdict: decided};
			}

			const end = decided ?? (chain.policy === 'DROP' ? 'drop' : 'accept');
			if (end !== 'accept') {
				return end;
			}
		}

		return 'accept';
	}

	/** Undefined when the packet came to the chain's end, or was returned. */
	#walkChain(chain: Chain, place: {readonly hook: Hook; readonly table: Table; readonly base: Chain}): 'accept' | 'drop' | Doubt | undefined {
		const {hook, table, base} = place;
		for (const rule of chain.rules) {
			const answer = this.#read(rule, this.#facts(hook), {language: base.base === undefined ? 'iptables' : 'nft'});
			if (answer.kind === 'not-known') {
				return answer.kind;
			}

			if (answer.kind === 'fails') {
				continue;
			}

			this.#met.push({
				hook, table, base: base.name, rule,
			});
			this.#traversals.at(-1)!.hits.push({
				family: table.family, table: table.name, chain: chain.name, number: rule.number, handle: undefined, text: rule.text, verdict: verdictOf(rule),
			});
			this.#state = applyRule(this.#state, rule);
			const {target} = rule;
			if (target.kind === 'jump' || target.kind === 'goto') {
				const end = this.#walkChain(table.chains.find(({name}) => name === target.chain)!, place);
				if (end !== undefined || target.kind === 'goto') {
					return end;
				}
			} else if (target.kind === 'verdict' && target.verdict === 'return') {
				return undefined;
			} else {
				const end = finalVerdict(target);
				if (end !== undefined) {
					return end === 'accept' ? this.#accept(rule, hook) : 'drop';
				}
			}
		}

		return undefined;
	}

	#accept({target}: Rule, hook: Hook): 'accept' | Doubt {
		if (target.kind === 'redirect') {
			const {toPorts} = target;
			if (toPorts === undefined || toPorts.from !== toPorts.to) {
				return 'not-known';
			}

			const loopback = this.#family === 'ipv4' ? '127.0.0.1' : '::1';
			this.#to = {address: hook === 'output' ? loopback : defaultTopology.places.pod[this.#family], port: toPorts.from};
			this.#isRedirected = true;
		}

		if (target.kind === 'tproxy') {
			this.#givenPort = target.onPort;
		}

		return target.kind === 'extension' ? 'not-known' : 'accept';
	}

	#facts(hook: Hook): PacketFacts {
		const {protocol, source, sourcePort, uid, gid, packet, destination} = this.#packet;
		const isSent = this.#inInterface === undefined;
		const state = {before: ['INVALID'], template: undefined, untracked: ['UNTRACKED'], tracked: ['NEW', ...(this.#to === destination ? [] : ['DNAT'])]}[this.#state.tracking];
		return {
			family: this.#family,
			protocol,
			source: {address: source, port: sourcePort},
			destination: this.#to,
			inInterface: this.#inInterface,
			outInterface: this.#outInterface,
			socket: isSent ? {uid: uid ?? 0, gid: gid ?? 0} : (hook === 'input' && (this.#state.isGiven || protocol === 'udp') ? undefined : 'none'),
			mark: this.#state.mark,
			connmark: packet === 'invalid' ? 'none' : this.#state.connmark,
			states: packet === 'invalid' ? ['INVALID'] : state,
		};
	}
}

type PlacedChain = {readonly table: Table; readonly chain: Chain; readonly base: BaseChain};

function insert<Entry extends {readonly priority: number}>(line: Entry[], entry: Entry): void {
	const place = line.findIndex(({priority}) => priority >= entry.priority);
	line.splice(place === -1 ? line.length : place, 0, entry);
}

/** What a trace says of a rule that matched. */
function verdictOf({target}: Rule): Verdict {
	if (target.kind === 'jump' || target.kind === 'goto') {
		return target.kind;
	}

	return target.kind === 'verdict' ? target.verdict : finalVerdict(target) ?? 'continue';
}
