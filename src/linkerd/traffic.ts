/**
Linkerd's traffic: its types, its proxy, and the expected paths. There is no inbound hop for the pod's own service: the proxy's traffic is exempt by UID, over lo as elsewhere.
*/

import type {InboundCarry} from '../mesh/actor-set.js';
import {bySide, walkPath, type Decision} from '../mesh/expected-path.js';
import type {Intent} from '../mesh/intent.js';
import {hasPort, isLocal} from '../mesh/selection.js';
import type {Topology} from '../mesh/topology.js';
import type {MeshTraffic} from '../mesh/traffic-types.js';
import type {Connection, ExpectationContext} from '../mesh/traffic.js';
import {usualActors} from '../mesh/usual-actors.js';
import {betweenHosts, scrapeOf, withinPod} from '../mesh/usual-types.js';
import {ownPorts} from './intent.js';

/** Since 2.11 the proxy connects to the original address, from whatever address the route chooses (linkerd/linkerd2, pull request 6901; the log in linkerd2-proxy, pull request 1161, shows the pod's own at both ends). Before, when the rules still had the hairpin, it connected to 127.0.0.1 (linkerd2-proxy, pull request 122). */
function carriesOf({hairpin}: Intent, {places}: Topology): InboundCarry {
	return hairpin === true ? {host: places.localhost} : {};
}

function arriving({intent}: ExpectationContext, {destination: {port}}: Connection): Decision {
	return hasPort(intent.inboundPortsExclude, port)
		? {roles: ['inbound-jump', 'inbound-port-exclude'], to: 'destination'}
		: {roles: ['inbound-jump', 'inbound-redirect'], to: 'inbound-listener'};
}

function leaving(context: ExpectationContext, {actor, isProxysOwn, destination}: Connection): Decision {
	const {intent, actors, family, topology} = context;
	const isLo = isLocal(context, destination.address);
	if (isProxysOwn || intent.proxyUids.includes(actors[actor].uid)) {
		return intent.hairpin === true && isLo && destination.address !== topology.places.localhost[family]
			? {roles: ['outbound-jump', 'hairpin-by-uid', 'inbound-redirect'], to: 'inbound-listener'}
			: {roles: ['outbound-jump', 'proxy-uid-bypass'], to: 'destination'};
	}

	if (isLo) {
		return {roles: ['outbound-jump', 'loopback-bypass'], to: 'destination'};
	}

	return hasPort(intent.outboundPortsExclude, destination.port)
		? {roles: ['outbound-jump', 'outbound-port-exclude'], to: 'destination'}
		: {roles: ['outbound-jump', 'outbound-redirect'], to: 'outbound-listener'};
}

const decide = bySide({
	// The jump matches every packet; the rules after it match only TCP.
	leaving: (context, connection) => connection.protocol === 'udp' ? {roles: ['outbound-jump'], to: 'destination'} : leaving(context, connection),
	arriving,
});

/** Linkerd's types of traffic with their actors and expected paths. */
export const linkerdTraffic: MeshTraffic = {
	types: [...betweenHosts, scrapeOf(ownPorts.admin), ...withinPod],
	actors: request => usualActors(request, {carries: carriesOf(request.intent, request.topology), answers: Object.values(ownPorts)}),
	expected: (context, connection) => walkPath(context, connection, {decide, carries: carriesOf(context.intent, context.topology)}),
};
