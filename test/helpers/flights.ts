/**
Comparisons without a kernel: each representative is walked as a single packet, and the proxy carries on what it gets. Made for tests of what is said of flights; what the kernel does is shown by test/kernel.
*/

import {judgeComparison, type Comparison, type FlownFamily} from '../../src/comparison/comparison.js';
import type {ExactPacket} from '../../src/packet-classes/class-of-packet.js';
import type {Flight, FlownLeg} from '../../src/comparison/moves.js';
import {representativesOf, type Representative} from '../../src/packet-classes/representatives.js';
import type {Program} from '../../src/packet-classes/symbolic-walk.js';
import type {Endpoint, RuleHit, Traversal} from '../../src/netfilter/path.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import {classesOf, programsOf} from './class-sets.js';
import {walkPacket, type Met} from './concrete-walk.js';
import {ofIstio} from './mesh.js';

const proxy = {
	uid: 1337, gid: 1337, outbound: 15_001, inbound: 15_006,
};

/** More legs than these are a loop here. */
const legsMax = 4;

/** A representative with what the kernel would choose for it. */
export function exactly({family, origin, destination, source, sourcePort = 40_000, ...rest}: Representative): ExactPacket {
	const {places} = defaultTopology;
	const {address} = destination;
	const isLoopback = family === 'ipv4' ? address.startsWith('127.') : address === '::1' || address === '::6';
	const own = isLoopback ? {ipv4: '127.0.0.1', ipv6: address}[family] : places.pod[family];
	const routed = origin === 'remote' ? places.remote[family] : own;
	return {
		...rest, origin, destination, source: source ?? routed, sourcePort,
	};
}

/** What becomes of a representative. */
export function flightOf(program: Program, representative: Representative): Flight {
	const {family} = representative;
	const legs: FlownLeg[] = [];
	let next: ExactPacket | undefined = exactly(representative);
	while (next !== undefined && legs.length < legsMax) {
		const leg = flyLeg(program, next, family);
		legs.push(leg);
		next = carryOn(leg);
	}

	return {legs, gaps: [], isLoop: next !== undefined};
}

function carryOn({end, family, to}: FlownLeg): ExactPacket | undefined {
	const isInbound = end.kind === 'accepted' && end.stop === `proxy:${proxy.inbound}`;
	if (end.kind !== 'accepted' || (!isInbound && end.stop !== `proxy:${proxy.outbound}`)) {
		return undefined;
	}

	const {places, passthroughSource} = defaultTopology;
	return {
		origin: 'pod', protocol: 'tcp', packet: 'first', source: isInbound ? passthroughSource[family] : places.pod[family], sourcePort: 40_001, destination: to, uid: proxy.uid, gid: proxy.gid, mark: undefined,
	};
}

function flyLeg(program: Program, packet: ExactPacket, family: AddressFamily): FlownLeg {
	const walked = walkPacket(program, packet, family);
	if (walked === 'not-known') {
		throw new Error(`what becomes of ${JSON.stringify(packet)} is not known`);
	}

	const {met, to, isDropped} = walked;
	const {origin, protocol, source, sourcePort, destination, uid = 0, gid = 0} = packet;
	return {
		actor: origin === 'pod' ? 'app' : 'remote', family, protocol, from: {address: source, port: sourcePort}, to: destination, socket: origin === 'pod' ? {uid, gid} : undefined, traversals: traversalsOf(met, packet), end: isDropped ? {kind: 'dropped', by: undefined} : {kind: 'accepted', stop: stopOf(to, destination)}, deliveredTo: isDropped ? undefined : to,
	};
}

function stopOf(to: Endpoint, wanted: Endpoint): string {
	return to === wanted ? `remote:${to.port}` : `${to.port === proxy.outbound || to.port === proxy.inbound ? 'proxy' : 'agent'}:${to.port}`;
}

function traversalsOf(met: readonly Met[], {source, sourcePort, destination}: ExactPacket): readonly Traversal[] {
	const traversals = new Map<string, Traversal & {readonly hits: RuleHit[]}>();
	for (const {hook, table: {family, name: table}, base: chain, rule} of met) {
		const key = `${hook} ${family} ${table} ${chain}`;
		const traversal = traversals.get(key) ?? {
			hook, family, table, chain, hits: [], end: {by: 'policy', verdict: 'accept'}, inInterface: undefined, outInterface: undefined, source: {address: source, port: sourcePort}, destination,
		};
		traversal.hits.push({
			family, table, chain: rule.chain, number: rule.number, handle: undefined, text: rule.text, verdict: undefined,
		});
		traversals.set(key, traversal);
	}

	return [...traversals.values()];
}

/** What is flown of two rule sets, in each family. */
export function flyBoth(from: RuleSet, to: RuleSet, families: readonly AddressFamily[] = ['ipv4']): readonly FlownFamily[] {
	return families.map(family => {
		const [one, other] = programsOf(from, to);
		const classSet = classesOf([one!, other!], family);
		const representatives = representativesOf(classSet, defaultTopology);
		const fly = (program: Program) => ({ruleSet: ofIstio(program.ruleSet), flights: representatives.map(each => flightOf(program, each))});
		return {classSet, representatives, sides: {from: fly(one!), to: fly(other!)}};
	});
}

/** Two rule sets compared. */
export function compareSets(from: RuleSet, to: RuleSet, {families = ['ipv4'], arePathsCompared = false}: {readonly families?: readonly AddressFamily[]; readonly arePathsCompared?: boolean} = {}): Comparison {
	return judgeComparison(flyBoth(from, to, families), {arePathsCompared});
}
