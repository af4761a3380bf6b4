/**
The world around the pod as probes need it: where they can come from, and who answers for the addresses that they go to.
*/

import type {ProbeQuestion} from '../../src/report/probe/types.js';
import {
	dnsPort, defaultActors, withDns, type ActorSet,
} from '../../src/scenario/actor-set.js';
import {livesInPod} from '../../src/scenario/expectation.js';
import type {Topology} from '../../src/scenario/topology.js';
import type {ActorCredentials, ActorName, Intent} from '../../src/scenario/types.js';
import {TestbedError} from '../errors.js';

/** Who a probe can meet beside the proxy and the app: everybody who listens somewhere. */
const hosts: readonly ActorName[] = ['remote', 'istiod'];

/** Who plays when somebody sends a probe. Where it may be a query of DNS, the agent that can be asked and the real server play as well. */
export function actorsOfProbe({question: {from, to, protocol}, intent, credentials, topology}: {
	readonly question: Pick<ProbeQuestion, 'from' | 'to' | 'protocol'>; readonly intent: Intent; readonly credentials: ActorCredentials; readonly topology: Topology;
}): ActorSet {
	const isQuery = protocol === 'udp' || to.port === dnsPort;
	const names = [...new Set<ActorName>(['proxy', 'app', ...hosts, from, ...(isQuery ? ['agent'] as const : [])])];
	const actorSet = defaultActors({
		topology, intent, names, credentials,
	});
	if (!isQuery) {
		return actorSet;
	}

	return withDns(actorSet, topology);
}

/**
A connection from outside that goes to no address of the pod never comes to it.

@throws {TestbedError} USAGE.
*/
export function refuseOutside({from, to, family, asked}: Pick<ProbeQuestion, 'from' | 'to' | 'family' | 'asked'>, {places}: Topology): void {
	if (!livesInPod[from] && to.address !== places.pod[family]) {
		throw new TestbedError('USAGE', {
			message: `A connection from ${from} to ${asked} does not come into the pod, so none of its rules is asked.`,
			hint: `From outside, ask for the pod: --to pod:${to.port}`,
		});
	}
}
