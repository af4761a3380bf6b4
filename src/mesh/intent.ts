/**
What the rules of a mesh are meant to do, as far as anybody outside the mesh's own room needs to know: who the proxy is, where it listens, and what is captured. Each mesh derives it from its options, or reads it off a dump.
*/

import type {AddressFamily} from '../netfilter/types.js';

/** What the rules of ambient mode are meant to do besides the listeners that they share with a sidecar's. */
export type AmbientIntent = {
	/** What comes in is not captured. */
	readonly ingress: boolean;
	/** Interfaces of virtual machines, whose traffic is captured as outbound. */
	readonly rerouteVirtualInterfaces: readonly string[];
	/** The mark of the node proxy's own packets. */
	readonly mark: number;
	/** The source of the node's health probes. */
	readonly probeSource: Readonly<Record<AddressFamily, string>>;
};

/** What the rules are meant to do. Lists of ports hold numbers and ranges `a:b`, lists of interfaces names as in iptables (`eth+`). */
export type Intent = {
	/** Where the proxy takes outbound traffic. */
	readonly proxyPort: number;
	/** Where it takes inbound traffic. */
	readonly inboundCapturePort: number;
	/** Where it takes the mesh's own tunnel. */
	readonly inboundTunnelPort: number;
	readonly proxyUids: readonly number[];
	readonly proxyGids: readonly number[];
	readonly inboundInterceptionMode: 'REDIRECT' | 'TPROXY';
	readonly inboundTproxyMark: number;
	readonly inboundPortsInclude: '*' | readonly string[];
	readonly inboundPortsExclude: readonly string[];
	readonly outboundPortsInclude: readonly string[];
	readonly outboundPortsExclude: readonly string[];
	readonly outboundIpRangesInclude: '*' | readonly string[];
	readonly outboundIpRangesExclude: readonly string[];
	readonly excludeInterfaces: readonly string[];
	readonly kubeVirtInterfaces: readonly string[];
	readonly ownerGroupsInclude: '*' | readonly string[];
	readonly ownerGroupsExclude: readonly string[];
	/** What the rules take for the host's loopback in IPv4. */
	readonly hostIpv4LoopbackCidr: string;
	/** Whether an included range of either family is a loopback one. */
	readonly loopbackIncluded: boolean;
	/** Whether the tunnel port is left alone inbound, and in the hairpin rules. */
	readonly inboundExceptsTunnelPort: boolean;
	readonly hairpinExceptsTunnelPort: boolean;
	/** Whether the rules of TPROXY mark the proxy's hairpin and leave other traffic over lo alone; otherwise they know the proxy's mark only. */
	readonly tproxyMarksHairpin: boolean;
	/** Only in ambient mode, where nothing else but the ports counts. */
	readonly ambient?: AmbientIntent;
};

/** What a transparent proxy does with its sockets: the mark of what it carries on inbound, and whether everything else that it carries on has it too. */
export type Transparency = {readonly mark: number; readonly marksOutbound: boolean};

/** The transparency that an intent asks of the proxy: under TPROXY that of Envoy's original-source filter, in ambient mode that of ztunnel. Undefined for a proxy that is not transparent. */
export function transparencyOf({inboundInterceptionMode, inboundTproxyMark, ambient}: Intent): Transparency | undefined {
	if (ambient !== undefined) {
		return {mark: ambient.mark, marksOutbound: true};
	}

	return inboundInterceptionMode === 'TPROXY' ? {mark: inboundTproxyMark, marksOutbound: false} : undefined;
}
