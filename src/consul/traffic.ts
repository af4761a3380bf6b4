/**
Consul's traffic: its types, its proxy, and the expected paths. There is no inbound hop for the pod's own service, and the pod's own address is captured: only localhost is exempt.
*/

import type {InboundCarry} from '../mesh/actor-set.js';
import {
	bySide, tcpOnly, unlessLeftAlone, walkPath, withDns, type Decision,
} from '../mesh/expected-path.js';
import {hasPort, rangeOf} from '../mesh/selection.js';
import type {Topology} from '../mesh/topology.js';
import type {MeshTraffic} from '../mesh/traffic-types.js';
import type {Connection, ExpectationContext} from '../mesh/traffic.js';
import {usualActors} from '../mesh/usual-actors.js';
import {betweenHosts, scrapeOf, withinPod} from '../mesh/usual-types.js';
import {metricsPort} from './intent.js';

/** The proxy connects to the app on localhost (Consul, service mesh proxy configuration: `local_service_address`, default 127.0.0.1), from whatever address the route chooses. */
function carriesOf({places}: Topology): InboundCarry {
	return {host: places.localhost};
}

function arriving({intent}: ExpectationContext, {destination: {port}}: Connection): Decision {
	return hasPort(intent.inboundPortsExclude, port)
		? {roles: ['inbound-jump', 'inbound-port-exclude'], to: 'destination'}
		: {roles: ['inbound-jump', 'inbound-capture', 'inbound-redirect'], to: 'inbound-listener'};
}

function leaving({intent, actors, family, topology}: ExpectationContext, {actor, isProxysOwn, destination}: Connection): Decision {
	const letGo = (role: string): Decision => ({roles: ['outbound-jump', role], to: 'destination'});
	if (isProxysOwn || intent.proxyUids.includes(actors[actor].uid)) {
		return letGo('proxy-uid-bypass');
	}

	if (hasPort(intent.outboundPortsExclude, destination.port)) {
		return letGo('outbound-port-exclude');
	}

	if (destination.address === topology.places.localhost[family]) {
		return letGo('localhost-bypass');
	}

	return rangeOf(intent.outboundIpRangesExclude, destination.address, family) === undefined
		? {roles: ['outbound-jump', 'outbound-capture', 'outbound-redirect'], to: 'outbound-listener'}
		: letGo('range-exclude');
}

const decide = unlessLeftAlone('family-exclude', withDns({captured: ['dns-jump', 'dns-redirect'], zones: [], ofProxy: undefined}, tcpOnly(bySide({leaving, arriving}))));

/** Consul's types of traffic with their actors and expected paths. */
export const consulTraffic: MeshTraffic = {
	types: [...betweenHosts, scrapeOf(metricsPort), ...withinPod],
	actors: request => usualActors(request, {carries: carriesOf(request.topology), answers: [metricsPort]}),
	expected: (context, connection) => walkPath(context, connection, {decide, carries: carriesOf(context.topology)}),
};
