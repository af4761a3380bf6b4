/**
What the sidecar's options mean for one connection: the rules that should match, by role, in the order in which the kernel consults them, and the listener that should accept. It walks the intent, not the rules under test.
*/

import {transparencyOf} from '../mesh/intent.js';
import {arrivingInAmbient, leavingInAmbient} from './expected-ambient.js';
import {arriving, type Decision} from './expected-inbound.js';
import {leaving} from './expected-outbound.js';
import {isLocal} from './selection.js';
import type {
	ActorName, Connection, ExpectedRoleLeg, ExpectedRolePath, ExpectationContext,
} from './types.js';

export type {ExpectationContext} from './types.js';

/** Whether an actor lives in the pod; the others share the remote namespace. */
export const livesInPod = {
	app: true, proxy: true, agent: true, remote: false, istiod: false, prometheus: false,
} as const satisfies Record<ActorName, boolean>;

/** The path that a connection should take, leg by leg until a listener that is not one of the proxy's two. */
export function expectedPath(context: ExpectationContext, {actor, destination}: Pick<Connection, 'actor' | 'destination'>): ExpectedRolePath {
	const legs: ExpectedRoleLeg[] = [];
	let connection: Connection | undefined = {
		actor, source: undefined, mark: 0, isProxysOwn: false, destination,
	};
	// A proxy's own leg goes to the inbound listener at most once more, and from there to its destination: three legs are the most.
	while (connection !== undefined) {
		const {roles, to} = decide(context, connection);
		legs.push({actor: connection.actor, roles, stop: stopOf(context, connection, to)});
		connection = nextLeg(context, connection, to);
	}

	return {legs};
}

function decide(context: ExpectationContext, connection: Connection): Decision {
	const {ambient} = context.intent;
	if (livesInPod[connection.actor]) {
		return ambient === undefined ? leaving(context, connection) : leavingInAmbient(context, ambient, connection);
	}

	if (!isLocal(context, connection.destination.address)) {
		return {roles: [], to: 'destination'};
	}

	return ambient === undefined ? arriving(context, connection) : arrivingInAmbient(context, ambient, connection);
}

/**
What the proxy opens when it has accepted. Envoy's outbound listener has the original-destination filter: an unknown destination is connected to as it is, a known service by one of its endpoints, and no source is bound. The inbound listener connects to the original destination from the passthrough address, 127.0.0.6 or ::6 (pilot, inbound passthrough bind addresses); under TPROXY its original-source filter binds the client's address and sets the mark instead.
*/
function nextLeg({intent, topology, family}: ExpectationContext, {destination}: Connection, to: Decision['to']): Connection | undefined {
	if (to === 'destination') {
		return undefined;
	}

	if (to === 'inbound-listener') {
		// A transparent proxy's next leg has the client's address and the proxy's mark, any other's the passthrough address.
		const transparency = transparencyOf(intent);
		return {
			actor: 'proxy', source: transparency === undefined ? topology.passthroughSource[family] : undefined, mark: transparency?.mark ?? 0, isProxysOwn: true, destination,
		};
	}

	const service = topology.services.find(({name}) => topology.places[name][family] === destination.address);
	return {
		actor: 'proxy',
		source: undefined,
		mark: intent.ambient?.mark ?? 0,
		isProxysOwn: true,
		destination: service === undefined
			? destination
			: {address: topology.places[service.endpoint][family], port: service.endpoint === 'pod' ? topology.ports.app : topology.ports.remote},
	};
}

/** The listener that accepts, as a stop. */
function stopOf(context: ExpectationContext, {destination}: Connection, to: Decision['to']): string {
	const {intent, family, topology: {places, ports, services}} = context;
	if (to !== 'destination') {
		return `proxy:${to === 'outbound-listener' ? intent.proxyPort : intent.inboundCapturePort}`;
	}

	if (isLocal(context, destination.address)) {
		return destination.port === ports.app ? `app:${destination.port}` : `proxy:${destination.port}`;
	}

	// Who comes to a service's own address was not carried on by the proxy, and the listener's name says so.
	const service = services.find(({name}) => places[name][family] === destination.address);
	if (service !== undefined) {
		return `${service.name}:${destination.port}`;
	}

	return destination.port === ports.istiod ? `istiod:${destination.port}` : `remote:${destination.port}`;
}
