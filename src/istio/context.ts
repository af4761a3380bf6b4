/**
The values that `IptablesConfigurator.Run` derives first and all its parts share, for the rules of one family.
*/

import {familyOfAddress, isLoopback} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {SidecarOptions} from './options/options.js';
import type {Release, ReleaseFeatures} from './releases.js';

/** The input of a part of `Run`: the options, and the values that depend on the family whose list it writes. */
export type Context = {
	readonly family: AddressFamily;
	/** The options as far as the code for this family knows them. */
	readonly options: SidecarOptions;
	readonly features: ReleaseFeatures;
	/** The host's loopback: 127.0.0.1/32 or the configured range, ::1/128 in IPv6. */
	readonly loopback: string;
	/** The source of the proxy's inbound passthrough, 127.0.0.6 or ::6 (pilot, inbound passthrough bind addresses). */
	readonly passthroughSource: string;
	/** Included and excluded ranges of this family. */
	readonly rangesInclude: '*' | readonly string[];
	readonly rangesExclude: readonly string[];
	/** Whether an included range of either family has a loopback address. */
	readonly loopbackIncluded: boolean;
	/** Whether DNS is captured at all, and the servers of this family. */
	readonly dns: boolean;
	readonly dnsServers: readonly string[];
	/** The table of the inbound rules: mangle under TPROXY, else nat. */
	readonly inboundTable: 'nat' | 'mangle';
	/** IPv6 in a release that has separate code for it. */
	readonly isSeparate: boolean;
};

/** The inputs of a release's rules besides the options: its features. */
export type ReleaseRules = Pick<Release, 'features'>;

/** Derives the shared values. */
export function contextOf({release: {features}, options: given, family}: {readonly release: ReleaseRules; readonly options: SidecarOptions; readonly family: AddressFamily}): Context {
	const isSeparate = family === 'ipv6' && !features.ipv6IsLikeIpv4;
	const options = isSeparate ? withoutWhatIpv6Lacks(given, features) : given;
	const {outboundIpRangesInclude: include, outboundIpRangesExclude: exclude, dnsServersV4, dnsServersV6} = options;
	return {
		family,
		options,
		features,
		loopback: family === 'ipv4' ? options.hostIpv4LoopbackCidr : '::1/128',
		passthroughSource: family === 'ipv4' ? '127.0.0.6/32' : '::6/128',
		rangesInclude: include === '*' ? '*' : include.filter(range => familyOfAddress(range) === family),
		rangesExclude: exclude.filter(range => familyOfAddress(range) === family),
		loopbackIncluded: features.loopbackCanBeIncluded && !isSeparate && include !== '*' && include.some(range => isLoopback(range)),
		dns: options.redirectDns && features.dns !== 'none' && (features.dns !== 'in-own-chain' || options.captureAllDns || dnsServersV4.length > 0 || dnsServersV6.length > 0),
		dnsServers: family === 'ipv4' ? dnsServersV4 : dnsServersV6,
		inboundTable: options.inboundInterceptionMode === 'TPROXY' ? 'mangle' : 'nat',
		isSeparate,
	};
}

/** The separate IPv6 code until 1.11 supports neither TPROXY nor DNS capture: it writes the rules that apply without them. */
function withoutWhatIpv6Lacks(options: SidecarOptions, {ipv6OutboundPorts}: ReleaseFeatures): SidecarOptions {
	return {
		...options,
		inboundInterceptionMode: 'REDIRECT',
		redirectDns: false,
		outboundPortsInclude: ipv6OutboundPorts ? options.outboundPortsInclude : [],
	};
}
