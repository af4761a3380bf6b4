/**
What the rules of a mesh are meant to do, as far as code outside the mesh's own room needs to know: who the proxy is, where it listens, and what is captured. Each mesh derives it from its options, or from a dump.
*/

import {isLoopback} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';

/** What ambient rules are meant to do besides the listeners that they share with a sidecar's. */
export type AmbientIntent = {
	/** Inbound traffic is not captured. */
	readonly ingress: boolean;
	/** Inbound traffic is captured by TPROXY, in mangle. */
	readonly isTproxy: boolean;
	/** Interfaces of virtual machines, whose traffic is captured as outbound. */
	readonly rerouteVirtualInterfaces: readonly string[];
	/** The mark of the node proxy's own packets. */
	readonly mark: number;
	/** The source of the node's health probes. */
	readonly probeSource: Readonly<Record<AddressFamily, string>>;
};

/** Where the rules take DNS queries over UDP. */
export type DnsCapture = {
	/** The port that they are redirected to, where the proxy answers them with the help of the name server; or that of `servers`. */
	readonly port: number;
	/** The mesh's own DNS servers, which the rules give as the new destination. Without them, queries are redirected to the proxy. */
	readonly servers?: Readonly<Partial<Record<AddressFamily, string>>>;
	/** The only servers whose queries are taken; without them, all queries are. */
	readonly asked?: Readonly<Partial<Record<AddressFamily, string>>>;
	/** Whether the rules put queries into conntrack zones of their own. */
	readonly hasZones: boolean;
};

/** An additional port on which the proxy answers a scrape. `name` is that of the traffic; `asks` says whose answer it returns: that of its own port for metrics, or the agent's. */
export type ScrapePort = {readonly port: number; readonly name: string; readonly asks: 'metrics' | 'agent'};

/** What the rules are meant to do. Lists of ports contain numbers and ranges `a:b`; lists of interfaces contain names as in iptables (`eth+`). */
export type Intent = {
	/** Where the proxy accepts outbound traffic. */
	readonly proxyPort: number;
	/** Where it accepts inbound traffic. */
	readonly inboundCapturePort: number;
	/** Where it accepts the mesh's own tunnel. */
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
	/** The range that the rules treat as the host's loopback in IPv4. */
	readonly hostIpv4LoopbackCidr: string;
	/** Whether an included range of either family is a loopback one. */
	readonly loopbackIncluded: boolean;
	/** Whether the tunnel port is exempt inbound and in the hairpin rules. */
	readonly inboundExceptsTunnelPort: boolean;
	readonly hairpinExceptsTunnelPort: boolean;
	/** Present if a hairpin is redirected to the inbound listener whoever opens it, and other traffic on lo is left to the other rules. */
	readonly hairpinsAnyOwner?: true;
	/** Present if one listener accepts both directions: Istio until 1.2. Its port is that of both capturing listeners. */
	readonly hasOneListener?: true;
	/** Whether the TPROXY rules mark the proxy's hairpin and exempt other traffic over lo; otherwise they only recognize the proxy's mark. */
	readonly tproxyMarksHairpin: boolean;
	/** Present if the proxy's own connections to the pod's address go through its inbound listener, even though the rules identify it only by its UID: Linkerd before 2.11. */
	readonly hairpin?: true;
	/** The source address of the proxy's inbound connections, if rules of an unknown mesh exempt one on lo. */
	readonly inboundSource?: Readonly<Partial<Record<AddressFamily, string>>>;
	/** The families of which the rules take nothing, if any: those that the pod does not have. */
	readonly leftAlone?: readonly AddressFamily[];
	/** Where DNS queries go, if the rules take any. */
	readonly dns?: DnsCapture;
	/** Additional ports that are scraped, if an input says so; no rule shows them. */
	readonly scrapes?: readonly ScrapePort[];
	/** Present in ambient mode. Then only the ports above apply as well. */
	readonly ambient?: AmbientIntent;
};

/** The intent of rules that redirect all TCP traffic of a pod to the two listeners of a proxy, except for the given ports, ranges and users. */
export function redirectIntent(given: Pick<Intent, 'proxyPort' | 'inboundCapturePort' | 'proxyUids'> & Partial<Intent>): Intent {
	return {
		inboundTunnelPort: 0,
		proxyGids: [],
		inboundInterceptionMode: 'REDIRECT',
		inboundTproxyMark: 0,
		inboundPortsInclude: '*',
		inboundPortsExclude: [],
		outboundPortsInclude: [],
		outboundPortsExclude: [],
		outboundIpRangesInclude: '*',
		outboundIpRangesExclude: [],
		excludeInterfaces: [],
		kubeVirtInterfaces: [],
		ownerGroupsInclude: '*',
		ownerGroupsExclude: [],
		hostIpv4LoopbackCidr: '127.0.0.1/32',
		loopbackIncluded: false,
		inboundExceptsTunnelPort: false,
		hairpinExceptsTunnelPort: false,
		tproxyMarksHairpin: false,
		...given,
	};
}

/** What a transparent proxy does with its sockets: the mark of its inbound connections, and whether all its other connections have it too. */
export type Transparency = {readonly mark: number; readonly marksOutbound: boolean};

/** The transparency that an intent requires of the proxy: under TPROXY that of Envoy's original-source filter, in ambient mode that of ztunnel. Undefined for a proxy that is not transparent. */
export function transparencyOf({inboundInterceptionMode, inboundTproxyMark, ambient}: Intent): Transparency | undefined {
	if (ambient !== undefined) {
		return {mark: ambient.mark, marksOutbound: true};
	}

	return inboundInterceptionMode === 'TPROXY' ? {mark: inboundTproxyMark, marksOutbound: false} : undefined;
}

/** The listener that captured DNS queries reach, as a stop. */
export function dnsStopOf({dns}: Pick<Intent, 'dns'>): string {
	return dns?.servers === undefined ? `proxy:${dns?.port ?? 0}` : `mesh-dns:${dns.port}`;
}

/** The addresses of the mesh's own DNS servers, which hosts outside the pod have. */
export function dnsServersOf({dns}: Pick<Intent, 'dns'>): readonly string[] {
	return Object.values(dns?.servers ?? {}).filter(address => !isLoopback(address));
}
