/**
What the sidecar's options mean for one connection: the rules that should match, by role, in the order in which istio-iptables writes them, and the listener that should accept. It walks the intent, not the rules under test.
*/

import {contains, parseAddress, parseRange} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {Role} from '../istio/role.js';
import type {Topology} from './topology.js';
import type {
	ActorCredentials, ActorName, Credentials, ExpectedLeg, ExpectedPath, Intent,
} from './types.js';

/** One leg to foretell: who connects, from where (undefined is "whatever the route says"), to where. */
type Connection = {
	readonly actor: ActorName;
	readonly source: string | undefined;
	readonly destination: {readonly address: string; readonly port: number};
};

/** What the rules do to a connection: let it go, or give it to one of the proxy's listeners. */
type Decision = {readonly roles: readonly Role[]; readonly to: 'destination' | 'outbound-listener' | 'inbound-listener'};

/** What the walk depends on beside the connection. */
export type World = {readonly intent: Intent; readonly actors: ActorCredentials; readonly topology: Topology; readonly family: AddressFamily};

/** Whether an actor lives in the pod; the others share the remote namespace. */
export const livesInPod = {
	app: true, proxy: true, agent: true, remote: false, istiod: false, prometheus: false,
} as const satisfies Record<ActorName, boolean>;

/** The path that a connection should take, leg by leg until a listener that is not one of the proxy's two. */
export function expectedPath(world: World, {actor, destination}: Omit<Connection, 'source'>): ExpectedPath {
	const legs: ExpectedLeg[] = [];
	let connection: Connection | undefined = {actor, source: undefined, destination};
	// A proxy's own leg goes to the inbound listener at most once more, and from there to its destination: three legs are the most.
	while (connection !== undefined) {
		const {roles, to} = decide(world, connection, legs.length > 0);
		legs.push({actor: connection.actor, roles, stop: stopOf(world, connection, to)});
		connection = nextLeg(world, connection, to);
	}

	return {legs};
}

function decide(world: World, connection: Connection, isProxysOwn: boolean): Decision {
	if (!livesInPod[connection.actor]) {
		return isLocal(world, connection.destination.address) ? inbound(world.intent, connection.destination.port) : {roles: [], to: 'destination'};
	}

	return outbound(world, connection, isProxysOwn ? intendedOwner(world) : undefined);
}

/** A5: what comes into the pod. */
function inbound({inboundPortsInclude: include, inboundPortsExclude: exclude, inboundTunnelPort}: Intent, port: number): Decision {
	if (include.length === 0) {
		return {roles: [], to: 'destination'};
	}

	if (port === inboundTunnelPort) {
		return {roles: ['inbound-jump', 'inbound-tunnel-port'], to: 'destination'};
	}

	if (include === '*') {
		return hasPort(exclude, port)
			? {roles: ['inbound-jump', 'inbound-port-exclude'], to: 'destination'}
			: {roles: ['inbound-jump', 'inbound-capture', 'inbound-redirect'], to: 'inbound-listener'};
	}

	return hasPort(include, port)
		? {roles: ['inbound-jump', 'inbound-port-include', 'inbound-redirect'], to: 'inbound-listener'}
		: {roles: ['inbound-jump'], to: 'destination'};
}

/** How the rules should know a socket: by the UID, by the GID, or not at all. */
type Owner = 'uid' | 'gid' | undefined;

/** What the proxy opens after it accepted should be known as the proxy's. One that the rules cannot know is expected by UID all the same, so that it is seen to fail. */
function intendedOwner({intent, actors: {proxy}}: World): Owner {
	return !intent.proxyUids.includes(proxy.uid) && intent.proxyGids.includes(proxy.gid) ? 'gid' : 'uid';
}

function ownerOf({proxyUids, proxyGids}: Intent, {uid, gid}: Credentials): Owner {
	return proxyUids.includes(uid) ? 'uid' : (proxyGids.includes(gid) ? 'gid' : undefined);
}

/** A6: what goes out, in the order of the rules. */
function outbound(world: World, {actor, source, destination}: Connection, intended: Owner): Decision {
	const {intent, actors, family, topology} = world;
	const overLo = isLocal(world, destination.address);
	const toLoopback = destination.address === topology.places.localhost[family];
	if (hasPort(intent.outboundPortsExclude, destination.port)) {
		return letGo('outbound-port-exclude');
	}

	if (source === topology.passthroughSource[family]) {
		return letGo('passthrough-source');
	}

	const owner = intended ?? ownerOf(intent, actors[actor]);
	if (overLo && owner === undefined && intent.proxyUids.length + intent.proxyGids.length > 0) {
		return letGo(intent.proxyUids.length > 0 ? 'loopback-not-proxy-uid' : 'loopback-not-proxy-gid');
	}

	// A process that is the proxy's by its group alone is a foreign one on lo, where the rules by UID come first; the proxy itself should not be.
	if (overLo && owner === 'gid' && intended === undefined && intent.proxyUids.length > 0) {
		return letGo('loopback-not-proxy-uid');
	}

	// With several UIDs, the first block's rule for lo takes every other one (facts: `-u 64535,1337`). To a loopback address that is harmless, and so expected; for a hairpin it is the fault that must show.
	if (toLoopback && owner === 'uid' && actors[actor].uid !== intent.proxyUids[0] && intent.proxyUids.includes(actors[actor].uid)) {
		return letGo('loopback-not-proxy-uid');
	}

	if (owner !== undefined) {
		const isHairpin = overLo && !toLoopback && destination.port !== intent.inboundTunnelPort;
		return isHairpin
			? {roles: ['outbound-jump', `hairpin-by-${owner}`, 'inbound-redirect'], to: 'inbound-listener'}
			: letGo(`proxy-${owner}-bypass`);
	}

	return captured(world, {destination, toLoopback});
}

/** The rules behind those of the owners: localhost, ranges, ports. */
function captured({intent, family}: World, {destination, toLoopback}: Pick<Connection, 'destination'> & {readonly toLoopback: boolean}): Decision {
	if (toLoopback) {
		return letGo('localhost-bypass');
	}

	if (rangeOf(intent.outboundIpRangesExclude, destination.address, family) !== undefined) {
		return letGo('range-exclude');
	}

	if (hasPort(intent.outboundPortsInclude, destination.port)) {
		return capture('outbound-port-include');
	}

	if (intent.outboundIpRangesInclude === '*') {
		return capture('outbound-capture');
	}

	const range = rangeOf(intent.outboundIpRangesInclude, destination.address, family);
	if (range === undefined) {
		return {roles: ['outbound-jump'], to: 'destination'};
	}

	// A range of all addresses leaves no match in a rule, which then is the one that captures everything.
	return capture(range.endsWith('/0') ? 'outbound-capture' : 'range-include');
}

function letGo(role: Role): Decision {
	return {roles: ['outbound-jump', role], to: 'destination'};
}

function capture(role: Role): Decision {
	return {roles: ['outbound-jump', role, 'outbound-redirect'], to: 'outbound-listener'};
}

/** What the proxy opens when it has accepted: see facts.md, "What the proxy does with sockets". */
function nextLeg({topology, family}: World, {destination}: Connection, to: Decision['to']): Connection | undefined {
	if (to === 'destination') {
		return undefined;
	}

	if (to === 'inbound-listener') {
		return {actor: 'proxy', source: topology.passthroughSource[family], destination};
	}

	const service = topology.services.find(({name}) => topology.places[name][family] === destination.address);
	return {
		actor: 'proxy',
		source: undefined,
		destination: service === undefined
			? destination
			: {address: topology.places[service.endpoint][family], port: service.endpoint === 'pod' ? topology.ports.app : topology.ports.remote},
	};
}

/** The listener that accepts, as a stop. */
function stopOf(world: World, {destination}: Connection, to: Decision['to']): string {
	const {intent, family, topology: {places, ports, services}} = world;
	if (to !== 'destination') {
		return `proxy:${to === 'outbound-listener' ? intent.proxyPort : intent.inboundCapturePort}`;
	}

	if (isLocal(world, destination.address)) {
		return destination.port === ports.app ? `app:${destination.port}` : `proxy:${destination.port}`;
	}

	// Who comes to a service's own address was not carried on by the proxy, and the listener's name says so.
	const service = services.find(({name}) => places[name][family] === destination.address);
	if (service !== undefined) {
		return `${service.name}:${destination.port}`;
	}

	return destination.port === ports.istiod ? `istiod:${destination.port}` : `remote:${destination.port}`;
}

/** Whether an address is one of the pod's own, so that the pod's processes reach it over lo. */
function isLocal({topology: {places}, family}: World, address: string): boolean {
	return address === places.pod[family] || address === places.localhost[family];
}

/** Whether a list of ports and ranges `a:b` holds a port. */
function hasPort(list: readonly string[], port: number): boolean {
	return list.some(item => {
		const [from, to = from] = item.split(':');
		return Number(from === '' ? 0 : from) <= port && port <= Number(to === '' ? 65_535 : to);
	});
}

/** The first range that holds an address. */
function rangeOf(ranges: readonly string[], text: string, family: AddressFamily): string | undefined {
	const address = parseAddress(text, family);
	return ranges.find(item => {
		const range = parseRange(item, family);
		return address !== undefined && range !== undefined && contains(range, address);
	});
}
