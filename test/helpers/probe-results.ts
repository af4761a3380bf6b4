/**
Comparisons without a kernel: each representative is walked by the simulator as a single packet, and the model of the stub says what the proxy carries on. Made for tests of what is said of flights; what the kernel does is shown by test/kernel.
*/

import {judgeComparison, type Comparison, type ProbedFamily} from '../../src/comparison/comparison.js';
import type {ProbeResult, ProbedLeg} from '../../src/comparison/moves.js';
import {defaultOptions} from '../../src/istio/options/options.js';
import {StubModel} from '../../src/model/stub.js';
import {isLoopback} from '../../src/netfilter/address.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';
import type {ExactPacket} from '../../src/packet-classes/class-of-packet.js';
import {representativesOf, type Representative} from '../../src/packet-classes/representatives.js';
import type {Program} from '../../src/packet-classes/symbolic-walk.js';
import {intentOf} from '../../src/istio/intent.js';
import {newestRelease} from '../../src/istio/releases.js';
import {istio} from '../../src/istio/mesh.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {classesOf, programsOf} from './class-sets.js';
import {ofIstio} from './mesh.js';
import {defaultActors} from './observed.js';
import {packetOfNext, routedSource, walkPacket} from './packet-walk.js';

const model = new StubModel(istio, intentOf({options: defaultOptions, release: newestRelease}), defaultActors);

/** More legs than these are a loop here. */
const legsMax = 4;

/** A representative with what the kernel would choose for it. */
export function exactly({family, origin, destination, source, sourcePort = 40_000, ...rest}: Representative): ExactPacket {
	const ofPod = rest.bindDevice === undefined ? routedSource(destination.address, family) : defaultTopology.places.pod[family];
	const routed = origin === 'remote' ? defaultTopology.places.remote[family] : ofPod;
	return {
		...rest, origin, destination, source: source ?? routed, sourcePort,
	};
}

/** The result of a representative. */
export function probeResultOf(program: Program, representative: Representative): ProbeResult {
	const {family} = representative;
	const legs: ProbedLeg[] = [];
	let next: ExactPacket | undefined = exactly(representative);
	while (next !== undefined && legs.length < legsMax) {
		const {leg, carriedOn} = sendLeg(program, next, family);
		legs.push(leg);
		next = carriedOn;
	}

	return {legs, gaps: [], isLoop: next !== undefined};
}

function sendLeg(program: Program, packet: ExactPacket, family: AddressFamily): {readonly leg: ProbedLeg; readonly carriedOn: ExactPacket | undefined} {
	const walked = walkPacket(program, packet, family);
	if (walked === 'not-known') {
		throw new Error(`what becomes of ${JSON.stringify(packet)} is not known`);
	}

	const {traversals, deliveredTo, isDropped, arrivedBy} = walked;
	const {origin, protocol, source, sourcePort, destination, uid = 0, gid = 0} = packet;
	const shared = {
		actor: origin === 'pod' ? 'app' : 'remote', family, protocol, from: {address: source, port: sourcePort}, to: destination, traversals, deliveredTo: isDropped ? undefined : deliveredTo,
	};
	if (packet.bindDevice !== undefined && !isDropped && arrivedBy === 'postrouting' && isLoopback(deliveredTo.address)) {
		return {
			leg: {
				...shared, deliveredTo: undefined, socket: {uid, gid}, end: {
					kind: 'lost', at: deliveredTo, by: undefined, reason: '',
				},
			},
			carriedOn: undefined,
		};
	}

	const {end, next} = model.receive({...shared, arrivedBy: isDropped ? undefined : arrivedBy, end: {kind: 'dropped', by: undefined}});
	return {
		leg: {...shared, socket: origin === 'pod' ? {uid, gid} : undefined, end},
		carriedOn: next === undefined ? undefined : packetOfNext(next, {family, sourcePort: 40_001}),
	};
}

/** What is flown of two rule sets, in each family. */
export function sendBoth(from: RuleSet, to: RuleSet, families: readonly AddressFamily[] = ['ipv4'], hasBound = false): readonly ProbedFamily[] {
	return families.map(family => {
		const [one, other] = programsOf(from, to);
		const classSet = classesOf([one!, other!], family, hasBound);
		const representatives = representativesOf(classSet, defaultTopology);
		const send = (program: Program) => ({ruleSet: ofIstio(program.ruleSet), probeResults: representatives.map(each => probeResultOf(program, each))});
		return {classSet, representatives, sides: {from: send(one!), to: send(other!)}};
	});
}

/** Two rule sets compared. */
export function compareSets(from: RuleSet, to: RuleSet, {families = ['ipv4'], arePathsCompared = false, hasBound = false}: {readonly families?: readonly AddressFamily[]; readonly arePathsCompared?: boolean; readonly hasBound?: boolean} = {}): Comparison {
	return judgeComparison(sendBoth(from, to, families, hasBound), {arePathsCompared});
}
