/**
The rules that istio-iptables writes for a sidecar, and the addresses and routes that go with them. A1 to A11 are the parts in which the program (`tools/istio-iptables/pkg/capture`) works; the numbers in the comments count its steps.
*/

import {familyOfAddress, isLoopback} from '../netfilter/address.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';
import {InputError} from './input-error.js';
import type {SidecarOptions} from './options.js';
import type {Release} from './releases.js';
import {buildTables, type Context, type Step} from './rule-list.js';
import {dnsSteps} from './sidecar-dns.js';
import {
	baseChains, excludedInterfaces, invalidPackets, inbound, virtualInterfaces,
} from './sidecar-inbound.js';
import {outboundSteps, outboundTail} from './sidecar-outbound.js';
import {tproxyTail} from './sidecar-tproxy.js';

/** All steps in the order of the program. */
const steps: readonly Step[] = [
	excludedInterfaces,
	virtualInterfaces,
	invalidPackets,
	baseChains,
	inbound,
	...outboundSteps,
	...dnsSteps,
	...outboundTail,
	tproxyTail,
];

/** The rule set that a release writes in the given families. IPv6 rules are written only when the pod has IPv6: see `familiesWritten`. */
export function sidecarRuleSet(release: Release, options: SidecarOptions, families: readonly AddressFamily[]): RuleSet {
	if (!release.features.dnsChain && options.redirectDns) {
		throw new InputError(`the DNS rules of release ${release.name} are not implemented yet`, '--redirect-dns');
	}

	return {
		tables: [...new Set(families)].flatMap(family => {
			const context = contextOf({release, options, family});
			return buildTables(steps.flatMap(step => step(context)), family);
		}),
	};
}

/** A0. Values that the steps share. */
function contextOf({release, options, family}: {readonly release: Release; readonly options: SidecarOptions; readonly family: AddressFamily}): Context {
	const {outboundIpRangesInclude: include, outboundIpRangesExclude: exclude, dnsServersV4, dnsServersV6} = options;
	return {
		family,
		options,
		features: release.features,
		loopback: family === 'ipv4' ? options.hostIpv4LoopbackCidr : '::1/128',
		passthroughSource: family === 'ipv4' ? '127.0.0.6/32' : '::6/128',
		rangesInclude: include === '*' ? '*' : include.filter(range => familyOfAddress(range) === family),
		rangesExclude: exclude.filter(range => familyOfAddress(range) === family),
		loopbackIncluded: include !== '*' && include.some(range => isLoopback(range)),
		dns: options.redirectDns && (options.captureAllDns || dnsServersV4.length > 0 || dnsServersV6.length > 0),
		dnsServers: family === 'ipv4' ? dnsServersV4 : dnsServersV6,
		inboundTable: options.inboundInterceptionMode === 'TPROXY' ? 'mangle' : 'nat',
	};
}

/**
The families that istio-iptables writes rules for, given the pod's addresses in order, without loopback and link-local ones: IPv4 always, IPv6 when the first address is IPv6, or with dual stack when any is.
*/
export function familiesWritten(addresses: readonly string[], {dualStack}: Pick<SidecarOptions, 'dualStack'>): readonly AddressFamily[] {
	const looked = dualStack ? addresses : addresses.slice(0, 1);
	return looked.some(text => familyOfAddress(text) === 'ipv6') ? ['ipv4', 'ipv6'] : ['ipv4'];
}

/** What has to be set up beside the rules, so that they can do their work. */
export type SidecarRouting = {
	/** Addresses that the loopback device needs. */
	readonly loopbackAddresses: ReadonlyArray<{readonly family: AddressFamily; readonly address: string}>;
	/** `ip rule add fwmark MARK lookup TABLE`. */
	readonly markRules: ReadonlyArray<{readonly family: AddressFamily; readonly mark: number; readonly table: number}>;
	/** `ip route add local DESTINATION dev lo table TABLE`. */
	readonly localRoutes: ReadonlyArray<{readonly family: AddressFamily; readonly destination: string; readonly table: number}>;
};

/** A11. Addresses and routes: ::6 for the inbound passthrough in IPv6, and local delivery of marked packets under TPROXY. */
export function sidecarRouting(options: SidecarOptions, families: readonly AddressFamily[]): SidecarRouting {
	const routed = options.inboundInterceptionMode === 'TPROXY' && options.inboundPortsInclude.length > 0 ? families : [];
	return {
		loopbackAddresses: families.includes('ipv6') ? [{family: 'ipv6', address: '::6/128'}] : [],
		markRules: routed.map(family => ({family, mark: options.inboundTproxyMark, table: options.inboundTproxyRouteTable})),
		localRoutes: routed.map(family => ({family, destination: family === 'ipv4' ? '0.0.0.0/0' : '::/0', table: options.inboundTproxyRouteTable})),
	};
}
