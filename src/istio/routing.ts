/**
What a sidecar needs besides its rules: the families for which they are written, and the addresses and routes.
*/

import {familyOfAddress} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {SidecarRouting} from '../mesh/routing.js';
import type {ReleaseRules} from './context.js';
import type {SidecarOptions} from './options/options.js';
import {newestRelease} from './releases.js';

/**
The families for which istio-iptables writes rules, given the pod's addresses in order, without loopback and link-local ones: IPv4 always, IPv6 if the first address is IPv6, or with dual stack if any is.
*/
export function familiesWritten(addresses: readonly string[], {dualStack}: Pick<SidecarOptions, 'dualStack'>): readonly AddressFamily[] {
	const looked = dualStack ? addresses : addresses.slice(0, 1);
	return looked.some(text => familyOfAddress(text) === 'ipv6') ? ['ipv4', 'ipv6'] : ['ipv4'];
}

/** Addresses and routes, as `configureIPv6Addresses` and `configureTProxyRoutes` set them up: ::6 for the inbound passthrough in IPv6, and local delivery of marked packets under TPROXY, which the separate IPv6 code until 1.11 does not support. */
export function sidecarRouting(options: SidecarOptions, families: readonly AddressFamily[], {features}: ReleaseRules = newestRelease): SidecarRouting {
	const isRouted = options.inboundInterceptionMode === 'TPROXY' && options.inboundPortsInclude.length > 0 && !options.writesNothing;
	const routed = isRouted ? families.filter(family => family === 'ipv4' || features.ipv6IsLikeIpv4) : [];
	return {
		loopbackAddresses: families.includes('ipv6') && !options.writesNothing ? [{family: 'ipv6', address: '::6/128'}] : [],
		markRules: routed.map(family => ({family, mark: options.inboundTproxyMark, table: options.inboundTproxyRouteTable})),
		localRoutes: routed.map(family => ({family, destination: family === 'ipv4' ? '0.0.0.0/0' : '::/0', table: options.inboundTproxyRouteTable})),
	};
}
