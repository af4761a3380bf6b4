/**
Kuma's traffic: its types, its proxy, and the expected paths. The pod's own service is captured on both sides, as with Istio; no port is exempt for a scrape.
*/

import type {InboundCarry} from '../mesh/actor-set.js';
import {
	bySide, tcpOnly, walkPath, withDns, type Decision,
} from '../mesh/expected-path.js';
import {hasPort, isLocal, rangeOf} from '../mesh/selection.js';
import type {MeshTraffic} from '../mesh/traffic-types.js';
import type {Connection, ExpectationContext} from '../mesh/traffic.js';
import {usualActors} from '../mesh/usual-actors.js';
import {betweenHosts, scrapeOf, withinPod} from '../mesh/usual-types.js';
import {metricsPort} from './intent.js';

/** The proxy connects to the original address, from 127.0.0.6 or ::6 (kumahq/kuma, pull request 4750, and `UpstreamBindConfig` in pull request 8490); a separate rule exempts that source. */
const carries: InboundCarry = {source: {ipv4: '127.0.0.6', ipv6: '::6'}};

function arriving({intent}: ExpectationContext, {destination: {port}}: Connection): Decision {
	return hasPort(intent.inboundPortsExclude, port)
		? {roles: ['inbound-jump', 'inbound-port-exclude'], to: 'destination'}
		: {roles: ['inbound-jump', 'inbound-capture', 'inbound-redirect'], to: 'inbound-listener'};
}

function leaving(context: ExpectationContext, {actor, source, isProxysOwn, destination}: Connection): Decision {
	const {intent, actors, family, topology} = context;
	const letGo = (role: string): Decision => ({roles: ['outbound-jump', role], to: 'destination'});
	const isLo = isLocal(context, destination.address);
	const isLocalhost = destination.address === topology.places.localhost[family];
	if (isLo && source !== undefined && source === carries.source?.[family]) {
		return letGo('passthrough-source');
	}

	if (hasPort(intent.outboundPortsExclude, destination.port)) {
		return letGo('outbound-port-exclude');
	}

	if (isProxysOwn || intent.proxyUids.includes(actors[actor].uid)) {
		return isLo && !isLocalhost ? {roles: ['outbound-jump', 'hairpin-by-uid', 'inbound-redirect'], to: 'inbound-listener'} : letGo('proxy-uid-bypass');
	}

	if (isLo) {
		return letGo('loopback-not-proxy-uid');
	}

	return rangeOf(intent.outboundIpRangesExclude, destination.address, family) === undefined
		? {roles: ['outbound-jump', 'outbound-capture', 'outbound-redirect'], to: 'outbound-listener'}
		: letGo('range-exclude');
}

/** The proxy's own query meets the rule for all queries in raw as well; its zone is the one that it was given first. */
const decide = withDns({
	captured: ['dns-redirect'], zones: ['dns-zone-query'], ofProxy: {roles: ['dns-query-bypass'], zones: ['dns-zone-proxy-query', 'dns-zone-query']},
}, tcpOnly(bySide({leaving, arriving})));

/** Kuma's types of traffic with their actors and expected paths. */
export const kumaTraffic: MeshTraffic = {
	types: [...betweenHosts, scrapeOf(metricsPort), ...withinPod],
	actors: request => usualActors(request, {carries, answers: [metricsPort]}),
	expected: (context, connection) => walkPath(context, connection, {decide, carries}),
};
