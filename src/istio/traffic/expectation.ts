/**
What the sidecar's options mean for one connection: the rules that should match, by role, in the order in which the kernel consults them, and the listener that should accept. It uses the intent, not the rules under test.
*/

import {livesInPod} from '../../mesh/actor-set.js';
import {transparencyOf} from '../../mesh/intent.js';
import {isLocal} from '../../mesh/selection.js';
import type {
	Connection, ExpectedRoleLeg, ExpectedRolePath, ExpectationContext,
} from '../../mesh/traffic.js';
import {arrivingInAmbient, leavingInAmbient} from './expected-ambient.js';
import {arriving, type Decision} from './expected-inbound.js';
import {leaving} from './expected-outbound.js';

/** The expected path of a connection, leg by leg, up to a listener that is not one of the proxy's two. */
export function expectedPath(context: ExpectationContext, {actor, destination}: Pick<Connection, 'actor' | 'destination'>): ExpectedRolePath {
	const legs: ExpectedRoleLeg[] = [];
	let connection: Connection | undefined = {
		actor, source: undefined, mark: 0, isProxysOwn: false, destination,
	};
	// A proxy's own leg goes to the inbound listener at most once more, and from there to its destination; a port for scrapes asks at most two listeners in sequence.
	while (connection !== undefined) {
		const {roles, to} = decide(context, connection);
		legs.push({actor: connection.actor, roles, stop: stopOf(context, connection, to)});
		if (isClosed(context, connection, to)) {
			return {legs, closed: true};
		}

		connection = nextLeg(context, connection, to);
	}

	return {legs};
}

/** Whether the proxy closes what it accepted: Envoy closes connections to the port of one of its two listeners, whether redirected to it or direct, ztunnel inbound connections to any port of its own. */
function isClosed(context: ExpectationContext, {destination: {address, port}}: Connection, to: Decision['to']): boolean {
	const {intent: {ambient, proxyPort, inboundCapturePort, inboundTunnelPort}} = context;
	if (ambient !== undefined) {
		return to === 'inbound-listener' && [proxyPort, inboundCapturePort, inboundTunnelPort].includes(port);
	}

	switch (to) {
		case 'inbound-listener': {
			return port === inboundCapturePort;
		}

		case 'outbound-listener': {
			return port === proxyPort || port === inboundCapturePort;
		}

		case 'destination': {
			return isLocal(context, address) && (port === proxyPort || port === inboundCapturePort);
		}
	}
}

/** Whom the proxy asks on localhost to answer on its ports for metrics, additional scrapes and health; undefined for any other port. Connections to these ports elsewhere are answered as well, once the proxy has them. */
function errandOf({intent, topology: {places, ports, proxyAsks}, family}: ExpectationContext, port: number): Connection | undefined {
	const scrape = intent.scrapes?.find(each => each.port === port);
	const own = port === ports.metrics ? proxyAsks?.admin : (port === ports.health ? proxyAsks?.agent : undefined);
	const asked = scrape === undefined || proxyAsks === undefined ? own : (scrape.asks === 'metrics' ? ports.metrics : proxyAsks.agent);
	return asked === undefined || intent.ambient !== undefined
		? undefined
		: {
			actor: 'proxy', source: undefined, mark: 0, isProxysOwn: false, destination: {address: places.localhost[family], port: asked},
		};
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
The leg that the proxy opens after it has accepted. Envoy's outbound listener has the original-destination filter: it connects to an unknown destination directly, to a known service by one of its endpoints, and binds no source. The inbound listener connects to the original destination from the passthrough address, 127.0.0.6 or ::6 (pilot, inbound passthrough bind addresses); under TPROXY its original-source filter binds the client's address and sets the mark instead.
*/
function nextLeg(context: ExpectationContext, {destination}: Connection, to: Decision['to']): Connection | undefined {
	const {intent, topology, family} = context;
	if (to === 'destination') {
		return isLocal(context, destination.address) ? errandOf(context, destination.port) : undefined;
	}

	if (to === 'inbound-listener' && intent.hasOneListener === true) {
		return {
			actor: 'proxy', source: undefined, mark: 0, isProxysOwn: true, destination: {address: topology.places.localhost[family], port: destination.port},
		};
	}

	if (to === 'inbound-listener') {
		// A transparent proxy's next leg has the client's address and the proxy's mark, any other proxy's has the passthrough address.
		const transparency = transparencyOf(intent);
		return {
			actor: 'proxy', source: transparency === undefined ? topology.passthroughSource[family] : undefined, mark: transparency?.mark ?? 0, isProxysOwn: true, destination,
		};
	}

	const errand = errandOf(context, destination.port);
	if (errand !== undefined) {
		return errand;
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
	const {intent, family, topology: {places, ports, services, proxyAsks}} = context;
	if (to !== 'destination') {
		return `proxy:${to === 'outbound-listener' ? intent.proxyPort : intent.inboundCapturePort}`;
	}

	if (isLocal(context, destination.address)) {
		const {port} = destination;
		return `${port === ports.app ? 'app' : (port === proxyAsks?.agent ? 'agent' : 'proxy')}:${port}`;
	}

	// A connection to a service's own address did not go through the proxy, and the listener's name says so.
	const service = services.find(({name}) => places[name][family] === destination.address);
	if (service !== undefined) {
		return `${service.name}:${destination.port}`;
	}

	return destination.port === ports.istiod ? `istiod:${destination.port}` : `remote:${destination.port}`;
}
