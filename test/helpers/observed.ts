/**
Observed paths for tests. The brand of an observed path is put on by a cast, here and nowhere else in the tests of judge/ and report/.

A rule set is walked for TCP's first packet through nat, and the proxy carries on as Envoy does: outbound to the original destination or an endpoint of the service, inbound to the original destination from 127.0.0.6 or ::6. It is a sketch to make paths with, for rule sets that nobody wants to type; what netfilter does is shown by the tests in test/kernel.
*/

import {contains, parseAddress, parseRange} from '../../src/netfilter/address.js';
import {findChain, findTable, tableFamily} from '../../src/netfilter/lookup.js';
import type {
	Endpoint, Leg, LegEnd, Path, RuleHit, Traversal,
} from '../../src/netfilter/path.js';
import type {
	AddressFamily, Hook, Match, Rule, RuleSet, Verdict,
} from '../../src/netfilter/types.js';
import {livesInPod} from '../../src/scenario/expectation.js';
import {defaultTopology, type Topology} from '../../src/scenario/topology.js';
import type {
	ActorCredentials, ActorName, Intent, TrafficCase,
} from '../../src/scenario/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {Observation, ObservedPath} from '../../src/trace/observation.js';
import {loopStops} from '../../src/trace/sockets.js';

/** Everybody's credentials in a default run; the agent runs as the proxy's user. */
export const defaultActors: ActorCredentials = {
	app: {uid: 1000, gid: 1000},
	proxy: {uid: 1337, gid: 1337},
	agent: {uid: 1337, gid: 1337},
	remote: {uid: 0, gid: 0},
	istiod: {uid: 0, gid: 0},
	prometheus: {uid: 0, gid: 0},
};

/** An observation of a path that a test made. */
export function observed(legs: readonly Leg[], {loop = false, gaps = []}: {readonly loop?: boolean; readonly gaps?: readonly Gap[]} = {}): Observation {
	const path: Path = {legs};
	return {path: path as ObservedPath, loop, gaps};
}

/** What a walk needs. */
export type Sketch = {
	readonly ruleSet: RuleSet;
	readonly intent: Intent;
	readonly actors?: ActorCredentials;
	readonly topology?: Topology;
	/** What the rules make of a trace without verdicts, as iptables-legacy gives it. */
	readonly isLegacy?: boolean;
};

type World = Required<Sketch> & {readonly family: AddressFamily};

type Packet = {
	readonly family: AddressFamily;
	readonly source: Endpoint;
	destination: Endpoint;
	readonly inInterface: string | undefined;
	readonly outInterface: string | undefined;
	readonly socket: Leg['socket'];
};

/** The observation of one case. */
export function observe(sketch: Sketch, traffic: TrafficCase): Observation {
	const {actor, family, destination} = traffic.probe;
	const world: World = {
		actors: defaultActors, topology: defaultTopology, isLegacy: false, ...sketch, family,
	};
	const legs: Leg[] = [];
	let next: {actor: ActorName; source: string | undefined; to: Endpoint} | undefined = {actor: actor as ActorName, source: undefined, to: destination};
	while (next !== undefined && legs.length <= loopStops) {
		const leg = walkLeg(world, next, legs.length);
		legs.push(leg);
		next = carryOn(world, leg);
	}

	return observed(legs, {loop: next !== undefined});
}

function carryOn({intent, topology, family}: World, {end, to}: Leg): {actor: ActorName; source: string | undefined; to: Endpoint} | undefined {
	if (end.kind !== 'accepted') {
		return undefined;
	}

	if (end.stop === `proxy:${intent.inboundCapturePort}`) {
		return {actor: 'proxy', source: topology.passthroughSource[family], to};
	}

	if (end.stop !== `proxy:${intent.proxyPort}`) {
		return undefined;
	}

	const service = topology.services.find(({name}) => topology.places[name][family] === to.address);
	return {actor: 'proxy', source: undefined, to: service === undefined ? to : {address: topology.places[service.endpoint][family], port: topology.ports[service.endpoint === 'pod' ? 'app' : 'remote']}};
}

function walkLeg(world: World, {actor, source, to}: {actor: ActorName; source: string | undefined; to: Endpoint}, index: number): Leg {
	const {topology: {places}, family, actors} = world;
	const isInPod = livesInPod[actor];
	const isLocal = to.address === places.pod[family] || to.address === places.localhost[family];
	const ownAddress = isInPod ? (isLocal ? to.address : places.pod[family]) : places[actor === 'prometheus' ? 'prometheus' : 'remote'][family];
	const packet: Packet = {
		family,
		source: {address: source ?? ownAddress, port: 40_001 + index},
		destination: to,
		inInterface: isInPod ? undefined : 'eth0',
		outInterface: isInPod ? (isLocal ? 'lo' : 'eth0') : undefined,
		socket: isInPod ? actors[actor] : undefined,
	};
	const hooks: readonly Hook[] = isInPod ? ['output', 'postrouting'] : ['prerouting', 'input'];
	const traversals: Traversal[] = [];
	for (const hook of hooks) {
		const last = traversals.at(-1)?.end;
		if (last === undefined || last.by === 'open' || last.verdict !== 'drop') {
			traversals.push(...walkHook(world, packet, hook));
		}
	}

	return {
		actor,
		family,
		protocol: 'tcp',
		from: packet.source,
		to,
		socket: packet.socket,
		traversals,
		end: endOf(world, packet, traversals),
	};
}

/** The listener of a service's own address in the remote namespace. */
function topologyService({topology, family}: World, address: string): string | undefined {
	return topology.services.find(({name}) => topology.places[name][family] === address)?.name;
}

function endOf(world: World, {destination: {address, port}}: Packet, traversals: readonly Traversal[]): LegEnd {
	const {intent, topology: {places, ports}, family} = world;
	const last = traversals.at(-1);
	if (last?.end.by !== 'open' && last?.end.verdict === 'drop') {
		return {kind: 'dropped', by: last.hits.at(-1)};
	}

	const isInPod = address === places.pod[family] || address === places.localhost[family];
	const listeners: Readonly<Record<number, string>> = isInPod
		? {
			[intent.proxyPort]: 'proxy', [intent.inboundCapturePort]: 'proxy', [ports.metrics]: 'proxy', [ports.health]: 'proxy', [ports.app]: 'app',
		}
		: {[ports.remote]: 'remote', [ports.istiod]: 'istiod'};
	const service = topologyService(world, address);
	const listener = service !== undefined && port === ports.remote ? service : listeners[port];
	return listener === undefined ? {kind: 'refused'} : {kind: 'accepted', stop: `${listener}:${port}`};
}

function walkHook(world: World, packet: Packet, hook: Hook): readonly Traversal[] {
	const family = tableFamily(world.family);
	const chain = hook.toUpperCase();
	if (findTable(world.ruleSet, {family, table: 'nat'}) === undefined) {
		return [];
	}

	const {source, destination, inInterface, outInterface} = packet;
	const hits: RuleHit[] = [];
	const verdict = walkChain(world, packet, {chain, hits});
	return [{
		hook, family, table: 'nat', chain, hits, inInterface, outInterface, source, destination, end: verdict === undefined ? {by: 'policy', verdict: 'accept'} : {by: 'rule', verdict},
	}];
}

/** Walks a chain; undefined when the packet came to its end or was returned. */
function walkChain(world: World, packet: Packet, {chain, hits}: {readonly chain: string; readonly hits: RuleHit[]}): Verdict | undefined {
	const family = tableFamily(world.family);
	for (const rule of findChain(world.ruleSet, {family, table: 'nat', chain})?.rules ?? []) {
		if (!rule.matches.every(match => matches(match, packet))) {
			continue;
		}

		const verdict = verdictOf(rule);
		hits.push({
			family, table: 'nat', chain, number: rule.number, handle: world.isLegacy ? undefined : 100 + rule.number, text: rule.text, verdict: world.isLegacy ? undefined : verdict,
		});
		const {target} = rule;
		if (target.kind === 'redirect') {
			const address = packet.outInterface === undefined ? packet.destination.address : world.topology.places.localhost[world.family];
			packet.destination = {address, port: target.toPorts?.from ?? packet.destination.port};
		}

		if (target.kind === 'jump' || target.kind === 'goto') {
			const inner = walkChain(world, packet, {chain: target.chain, hits});
			if (inner !== undefined || target.kind === 'goto') {
				return inner;
			}
		} else if (verdict === 'return') {
			return undefined;
		} else if (verdict !== 'continue') {
			return verdict;
		}
	}

	return undefined;
}

function verdictOf({target}: Rule): Verdict {
	switch (target.kind) {
		case 'verdict': {
			return target.verdict;
		}

		case 'jump':
		case 'goto': {
			return target.kind;
		}

		case 'redirect':
		case 'tproxy': {
			return 'accept';
		}

		case 'set-mark':
		case 'set-connmark':
		case 'save-mark':
		case 'restore-mark':
		case 'ct-zone':
		case 'extension':
		case 'none': {
			return 'continue';
		}
	}
}

function matches(match: Match, packet: Packet): boolean {
	if (match.kind === 'comment') {
		return true;
	}

	if (match.kind === 'opaque') {
		throw new Error(`the sketch does not know the match ${match.text}`);
	}

	return matchesPlainly(match, packet) !== match.negated;
}

function matchesPlainly(match: Exclude<Match, {readonly kind: 'comment' | 'opaque'}>, packet: Packet): boolean {
	switch (match.kind) {
		case 'protocol': {
			return match.protocol === 'tcp';
		}

		case 'source':
		case 'destination': {
			const [range, address] = [parseRange(match.address), parseAddress(packet[match.kind].address)];
			return range !== undefined && address !== undefined && contains(range, address);
		}

		case 'in-interface': {
			return packet.inInterface === match.name;
		}

		case 'out-interface': {
			return packet.outInterface === match.name;
		}

		case 'source-port':
		case 'destination-port': {
			const {port} = match.kind === 'source-port' ? packet.source : packet.destination;
			return match.ranges.some(({from, to}) => from <= port && port <= to);
		}

		case 'uid':
		case 'gid': {
			const id = packet.socket?.[match.kind];
			return id !== undefined && match.from <= id && id <= match.to;
		}

		case 'socket-exists':
		case 'mark':
		case 'connmark':
		case 'conntrack-state': {
			throw new Error(`the sketch does not know the match ${match.kind}`);
		}
	}
}
