/**
One packet through a rule set, rule by rule with all of its values known: the opposite of the walk of sets in `src/packet-classes/symbolic-walk.ts`, which it is there to check. What a single rule says of a packet is asked of the same reader.
*/

import {applyRule, enterChain, freshPacket, type PacketFacts, type PacketState} from '../../src/judge/explain/packet-facts.js';
import {askRule} from '../../src/judge/explain/match-rule.js';
import {baseChainOf, tableFamily} from '../../src/netfilter/lookup.js';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {
	AddressFamily, Chain, Hook, Rule, Table,
} from '../../src/netfilter/types.js';
import type {ExactPacket} from '../../src/packet-classes/class-of-packet.js';
import type {Program} from '../../src/packet-classes/symbolic-walk.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import {finalVerdict} from '../../src/trace/lookup.js';

/** A rule that a packet met. */
export type Met = {readonly hook: Hook; readonly table: Table; readonly base: string; readonly rule: Rule};

/** What became of a packet: the rules that it met, where it was sent, whether it was dropped. */
export type Walked = {readonly met: readonly Met[]; readonly to: Endpoint; readonly isDropped: boolean};

type Doubt = 'not-known';

/** Walks one packet; `not-known` where a rule, or what a translation makes of the packet, is not understood. */
export function walkPacket(program: Program, packet: ExactPacket, family: AddressFamily): Walked | Doubt {
	return new Walk(program, packet, family).run();
}

/** A walk in the notation of `foretoldOf`. */
export function printWalk(walked: Walked | Doubt): readonly string[] | Doubt {
	return walked === 'not-known' ? walked : walked.met.map(({table, rule}) => `${table.name} ${rule.chain}#${rule.number}`);
}

class Walk {
	readonly #program: Program;
	readonly #packet: ExactPacket;
	readonly #family: AddressFamily;
	readonly #met: Met[] = [];
	#state: PacketState;
	#to: Endpoint;
	#isRedirected = false;
	#inInterface: string | undefined;
	#outInterface: string | undefined;

	constructor(program: Program, packet: ExactPacket, family: AddressFamily) {
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
			if (isOutgoing && this.#inInterface === undefined && this.#outInterface !== 'lo') {
				this.#outInterface = this.#isDeliveredHere() ? 'lo' : 'eth0';
			}

			const end = this.#walkHook(hook);
			if (end === 'not-known') {
				return end;
			}

			if (end === 'drop') {
				return {met: this.#met, to: this.#to, isDropped: true};
			}

			if (hook === 'postrouting' && this.#outInterface === 'lo') {
				[this.#inInterface, this.#outInterface] = ['lo', undefined];
				hooks.push('prerouting', 'input');
			}
		}

		return {met: this.#met, to: this.#to, isDropped: false};
	}

	#isDeliveredHere(): boolean {
		const {address} = this.#to;
		return address === defaultTopology.places.pod[this.#family] || (this.#family === 'ipv4' ? address.startsWith('127.') : address === '::1' || address === '::6')
			|| this.#program.localMarks.some(({mark, mask}) => (((this.#state.mark ?? 0) & mask) >>> 0) === mark);
	}

	#walkHook(hook: Hook): 'accept' | 'drop' | Doubt {
		const held = this.#program.ruleSet.tables
			.filter(table => table.family === 'inet' || table.family === tableFamily(this.#family))
			.flatMap(table => table.chains.map(chain => ({table, chain, base: baseChainOf(table, chain)})))
			.filter(({base}) => base?.hook === hook)
			.toSorted((one, other) => one.base!.priority - other.base!.priority);
		for (const {table, chain, base} of held) {
			const isFirstPacket = this.#packet.packet === 'first';
			if (base!.type === 'nat' && (!isFirstPacket || this.#inInterface === 'lo' || (this.#isRedirected && hook !== 'postrouting'))) {
				continue;
			}

			if (isFirstPacket) {
				this.#state = enterChain(this.#state, {
					family: table.family, table: table.name, chain: chain.name, hook,
				}, this.#program.ruleSet);
			}

			const end = this.#walkChain(chain, {hook, table, base: chain}) ?? (chain.policy === 'DROP' ? 'drop' : 'accept');
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
			const answer = askRule(rule, this.#facts(hook), {isNative: base.base !== undefined});
			if (answer.kind === 'not-known') {
				return answer.kind;
			}

			if (answer.kind === 'fails') {
				continue;
			}

			this.#met.push({
				hook, table, base: base.name, rule,
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
