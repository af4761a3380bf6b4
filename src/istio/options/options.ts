/**
The options of a sidecar's redirection, by the config names of istio-iptables (`tools/common/config`), in camelCase.
*/

import {newestRelease, type Release} from '../releases.js';

/** `*` captures everything; a list captures its items. An empty list captures nothing. */
export type Selection<Item extends string = string> = '*' | readonly Item[];

/** Everything that determines the rules that istio-iptables writes. Ports in lists are texts, because they may be ranges (`9000:9010`). */
export type SidecarOptions = {
	/** Where captured outbound connections go: `--envoy-port`. */
	readonly proxyPort: number;
	/** Where captured inbound connections go: `--inbound-capture-port`. */
	readonly inboundCapturePort: number;
	/** HBONE's port, never captured inbound: `--inbound-tunnel-port`. */
	readonly inboundTunnelPort: number;
	/** `--proxy-uid`: each UID gets three rules of its own, in this order. */
	readonly proxyUids: readonly number[];
	/** `--proxy-gid`: defaults to the UIDs. */
	readonly proxyGids: readonly number[];
	readonly inboundInterceptionMode: 'REDIRECT' | 'TPROXY';
	readonly inboundTproxyMark: number;
	/** The routing table that delivers marked packets locally. It does not affect the rules. */
	readonly inboundTproxyRouteTable: number;
	readonly inboundPortsInclude: Selection;
	/** Used only when `inboundPortsInclude` is `*`. */
	readonly inboundPortsExclude: readonly string[];
	readonly outboundPortsInclude: readonly string[];
	readonly outboundPortsExclude: readonly string[];
	/** CIDRs of both families, mixed. */
	readonly outboundIpRangesInclude: Selection;
	readonly outboundIpRangesExclude: readonly string[];
	readonly excludeInterfaces: readonly string[];
	readonly kubeVirtInterfaces: readonly string[];
	readonly redirectDns: boolean;
	readonly captureAllDns: boolean;
	/** The name servers of the pod's /etc/resolv.conf: with `redirectDns` alone, only queries to these are captured. Not an option of istio-iptables, which reads the file. */
	readonly dnsServersV4: readonly string[];
	readonly dnsServersV6: readonly string[];
	readonly dropInvalid: boolean;
	/** Does not affect the rules directly: it lets any IPv6 address of the pod turn on IPv6 rules, see `familiesWritten`. */
	readonly dualStack: boolean;
	/** GIDs whose traffic is captured. Group names would be looked up in the pod, so numbers are required. */
	readonly ownerGroupsInclude: Selection;
	/** Used only when `ownerGroupsInclude` is `*`. */
	readonly ownerGroupsExclude: readonly string[];
	readonly hostIpv4LoopbackCidr: string;
	/** 1.7 only: queries go to Envoy's own DNS port instead of the agent's (`ISTIO_META_DNS_CAPTURE` without `DNS_AGENT`). */
	readonly dnsByProxy: boolean;
	/** 1.10.3 until 1.10 only: requests the conntrack zones that later releases always write (`ISTIO_META_DNS_CONNTRACK_ZONE`). */
	readonly dnsConntrackZones: boolean;
	/** The program was told not to write (`--dry-run`, `--skip-rule-apply`) or only to remove (`--cleanup-only`): no rules, no routes. */
	readonly writesNothing: boolean;
};

/**
The defaults of istio-iptables 1.30 without arguments (`DefaultConfig` and `FillConfigFromEnvironment`, in a pod without a user `istio-proxy`).
The name server is the resolver of the testbed's sandbox.
*/
export const defaultOptions: SidecarOptions = {
	proxyPort: 15_001,
	inboundCapturePort: 15_006,
	inboundTunnelPort: 15_008,
	proxyUids: [1337],
	proxyGids: [1337],
	inboundInterceptionMode: 'REDIRECT',
	inboundTproxyMark: 1337,
	inboundTproxyRouteTable: 133,
	inboundPortsInclude: [],
	inboundPortsExclude: [],
	outboundPortsInclude: [],
	outboundPortsExclude: [],
	outboundIpRangesInclude: [],
	outboundIpRangesExclude: [],
	excludeInterfaces: [],
	kubeVirtInterfaces: [],
	redirectDns: false,
	captureAllDns: false,
	dnsServersV4: ['10.96.0.10'],
	dnsServersV6: [],
	dropInvalid: false,
	dualStack: false,
	ownerGroupsInclude: '*',
	ownerGroupsExclude: [],
	hostIpv4LoopbackCidr: '127.0.0.1/32',
	dnsByProxy: false,
	dnsConntrackZones: false,
	writesNothing: false,
};

/** The arguments that the injection template of a default installation of a release passes to the init container (test/fixtures/istio-real has runs with exactly these; 1.5 did not exclude the health port 15021 yet). */
export function injectedArgumentsOf({features}: Pick<Release, 'features'>): readonly string[] {
	return ['-p', '15001', '-z', '15006', '-u', '1337', '-m', 'REDIRECT', '-i', '*', '-x', '', '-b', '*', '-d', features.injectedPortsExclude];
}

/** Those of the newest release. */
export const injectedArguments: readonly string[] = injectedArgumentsOf(newestRelease);

/** The most owner groups that can be included (istio-iptables, validation). */
export const ownerGroupsMax = 64;
