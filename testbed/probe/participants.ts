/**
The participants around the pod that probes need: where they can come from, and who answers at the addresses they go to.
*/

import type {ProbeQuestion} from '../../src/report/probe/types.js';
import {livesInPod, type ActorSet} from '../../src/mesh/actor-set.js';
import {needsDns} from '../../src/mesh/dns-listeners.js';
import type {Mesh} from '../../src/mesh/mesh.js';
import type {Topology} from '../../src/mesh/topology.js';
import type {ActorCredentials, ActorName, Intent} from '../../src/mesh/traffic.js';
import {
	contains, familyNames, parseAddress, parseRange,
} from '../../src/netfilter/address.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {TestbedError} from '../errors.js';

/** The hosts outside the pod that listen and so can receive a probe. */
const hosts: readonly ActorName[] = ['remote', 'istiod'];

/** The actors for a probe. If it may be a DNS query, they include the agent and the real DNS server. */
export function actorsOfProbe({question: {from, to, protocol}, mesh, intent, credentials, topology}: {
	readonly question: Pick<ProbeQuestion, 'from' | 'to' | 'protocol'>; readonly mesh: Mesh; readonly intent: Intent; readonly credentials: ActorCredentials; readonly topology: Topology;
}): ActorSet {
	const isQuery = needsDns({protocol, to}, {
		mesh, intent, credentials, topology,
	});
	// The proxy asks the agent about its own health, and for merged metrics.
	const isForAgent = isQuery || to.port === topology.ports.health || to.port === topology.proxyAsks?.agent || intent.scrapes?.some(({port, asks}) => asks === 'agent' && port === to.port) === true;
	const names = [...new Set<ActorName>(['proxy', 'app', ...hosts, from, ...(isForAgent ? ['agent'] as const : [])])];
	return mesh.traffic.actors({
		topology, intent, names, credentials, withDns: isQuery,
	});
}

/**
Refuses a connection from outside to an address that is not the pod's: it would never reach the pod.

@throws {TestbedError} USAGE.
*/
export function refuseOutside({from, to, family, asked}: Pick<ProbeQuestion, 'from' | 'to' | 'family' | 'asked'>, {places}: Topology): void {
	if (isOutside({from, to, family}, {places})) {
		throw new TestbedError('USAGE', {
			message: `A connection from ${from} to ${asked} does not enter the pod, so none of its rules apply.`,
			hint: `From outside, connect to the pod: --to pod:${to.port}`,
		});
	}
}

/** Whether a connection from outside goes to an address that is not the pod's. */
export function isOutside({from, to, family}: Pick<ProbeQuestion, 'from' | 'to' | 'family'>, {places}: Pick<Topology, 'places'>): boolean {
	return !livesInPod[from] && to.address !== places.pod[family];
}

/**
Refuses a source address that the sender in the pod does not have: the kernel would refuse to bind its socket.

@throws {TestbedError} USAGE, listing the addresses it has.
*/
export function refuseForeignSource({from, source, family}: Pick<ProbeSpec, 'from' | 'source' | 'family'>, topology: Topology): void {
	if (livesInPod[from] && source !== undefined && isForeign({from, source, family}, topology)) {
		throw new TestbedError('USAGE', {
			message: `--source ${source}: ${from} has no such address. Its ${familyNames[family]} addresses are ${ownAddresses(from, family, topology).join(', ')}.`,
			hint: 'Use one of them, or omit --source.',
		});
	}
}

/** Whether a probe from outside has a source that no actor can bind, like a packet routed from elsewhere. The prober sends these. */
export function isRoutedFromElsewhere({from, source, family}: Pick<ProbeSpec, 'from' | 'source' | 'family'>, topology: Topology): boolean {
	return !livesInPod[from] && source !== undefined && isForeign({from, source, family}, topology);
}

function isForeign({from, source, family}: {readonly from: ActorName; readonly source: string; readonly family: ProbeSpec['family']}, topology: Topology): boolean {
	const address = parseAddress(source);
	return address !== undefined && ownAddresses(from, family, topology).flatMap(text => parseRange(text) ?? []).every(range => !contains(range, address));
}

/** The addresses that sockets of an actor can be bound to. Those outside the pod share a namespace. */
function ownAddresses(actor: ActorName, family: ProbeSpec['family'], {places, passthroughSource}: Topology): readonly string[] {
	const loopback = family === 'ipv4' ? ['127.0.0.0/8'] : [places.localhost.ipv6];
	return livesInPod[actor]
		? [places.pod[family], ...loopback, ...(family === 'ipv6' ? [passthroughSource.ipv6] : [])]
		: [places.remote[family], places.istiod[family], places.prometheus[family], ...loopback];
}
