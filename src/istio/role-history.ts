/**
The release that brought each role. Rule lists are known from 1.5 on; what stands in the oldest of them, or belongs to an option that is older, is `≤ 1.5`.
*/

import type {Role} from './role.js';

/** Since when a sidecar's rules have a role. `since` is a release; `≤ 1.5` is that one or an older one, `≥ 1.21` that one or a newer one. */
export type RoleHistory = {readonly since: string; readonly source: string};

/** The oldest release whose rules are known. */
const oldest = '≤ 1.5';

/** In the rules of a default sidecar of 1.5, read off the sources at its tag. */
const inOldest: RoleHistory = {since: oldest, source: 'istio/istio 1.5.10, rules of a default sidecar'};

function byOption(since: string, option: string): RoleHistory {
	return {since, source: `istio/istio, option ${option}`};
}

/** Between two releases whose binaries were run, the first of them without it: which patch release in between brought it is not known. */
function measured(since: string, source: string): RoleHistory {
	return {since, source};
}

const oldestTproxy = measured('≤ 1.10', 'run of istio-iptables 1.10.6 with TPROXY, the oldest that was run');
const hairpinTproxy = measured('1.11', 'runs of istio-iptables with TPROXY: 1.11.8 has it, 1.10.6 has not');
const dnsChain = measured('1.25.0', 'istio/istio 1.25.0, DNS rules moved to chains of their own');
const dnsZone = measured('1.10.3', 'istio/istio 1.10.3, by ISTIO_META_DNS_CONNTRACK_ZONE; always since 1.11.0');

/** Ambient rules stand in the pod since 1.21 (istio.io/v1.21/docs/ops/ambient/usage/traffic-redirection); each of them was read in master only. */
const ambient = measured('≥ 1.21', 'istio/istio master 86c9f01f, cni/pkg/iptables; no older one was read');

/** Every role with its release. */
export const roleHistory: Readonly<Record<Role, RoleHistory>> = {
	'inbound-jump': inOldest,
	'inbound-tunnel-port': {since: '1.7.0', source: 'istio/istio 1.7.0, option --inbound-tunnel-port; before, port 15008 was like any other'},
	'inbound-port-exclude': inOldest,
	'inbound-port-include': byOption(oldest, '--istio-inbound-ports (1.0)'),
	'inbound-capture': inOldest,
	'inbound-redirect': inOldest,
	'outbound-jump': inOldest,
	'outbound-redirect': inOldest,
	'outbound-port-exclude': byOption(oldest, '--istio-local-outbound-ports-exclude (1.2)'),
	'outbound-port-include': byOption('1.7.0', '--istio-outbound-ports'),
	'outbound-capture': inOldest,
	'range-exclude': byOption(oldest, '--istio-service-exclude-cidr (1.0)'),
	'range-include': byOption(oldest, '--istio-service-cidr (1.0)'),
	'passthrough-source': inOldest,
	'hairpin-by-uid': inOldest,
	'loopback-not-proxy-uid': inOldest,
	'proxy-uid-bypass': inOldest,
	'hairpin-by-gid': inOldest,
	'loopback-not-proxy-gid': inOldest,
	'proxy-gid-bypass': inOldest,
	'group-include': byOption('1.14.0', 'ISTIO_OUTBOUND_OWNER_GROUPS'),
	'group-exclude': byOption('1.14.0', 'ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE'),
	'localhost-bypass': inOldest,
	'interface-exclude-inbound': byOption(oldest, '--kube-virt-interfaces (1.1); for --istio-exclude-interfaces since 1.11.3'),
	'interface-exclude-outbound': byOption('1.11.3', '--istio-exclude-interfaces'),
	'virtual-interface-capture': byOption(oldest, '--kube-virt-interfaces (1.1)'),
	'invalid-jump': measured('1.24.0', 'istio/istio 1.24.0, chain ISTIO_DROP; before, -j DROP in its place'),
	'invalid-drop': byOption('1.12.2', '--drop-invalid'),
	'dns-jump': dnsChain,
	'dns-redirect-tcp': measured('1.8.0', 'istio/istio 1.8, DNS over TCP to the agent'),
	'dns-redirect-udp': measured('1.6.0', 'istio/istio 1.6, DNS_CAPTURE'),
	'dns-zone-jump': measured('1.23.0', 'istio/istio 1.23.0, DNS rules moved out of raw OUTPUT'),
	'dns-zone-proxy-query': dnsZone,
	'dns-zone-agent-answer': dnsZone,
	'dns-zone-query': dnsZone,
	'dns-answer-jump': dnsChain,
	'dns-zone-answer': dnsZone,
	'tproxy-mark-bypass': oldestTproxy,
	'tproxy-passthrough-source': hairpinTproxy,
	'tproxy-loopback-not-hairpin': hairpinTproxy,
	'tproxy-divert-established': oldestTproxy,
	'tproxy-capture': oldestTproxy,
	'tproxy-divert-mark': oldestTproxy,
	'tproxy-divert-accept': oldestTproxy,
	'tproxy-redirect': oldestTproxy,
	'tproxy-mark-save': oldestTproxy,
	'tproxy-loopback-marked': hairpinTproxy,
	'tproxy-hairpin-mark-by-uid': hairpinTproxy,
	'tproxy-hairpin-mark-by-gid': hairpinTproxy,
	'tproxy-mark-restore': oldestTproxy,
	'ambient-inbound-jump': ambient,
	'ambient-virtual-interface-capture': ambient,
	'ambient-virtual-interface-return': ambient,
	'ambient-probe-inbound': ambient,
	'ambient-inbound-redirect': ambient,
	'ambient-probe-outbound': ambient,
	'ambient-marked-bypass': ambient,
	'ambient-loopback-bypass': ambient,
	'ambient-outbound-redirect': ambient,
	'ambient-mark-inbound-jump': ambient,
	'ambient-mark-outbound-jump': ambient,
	'ambient-connection-mark': ambient,
	'ambient-mark-restore': ambient,
	'ambient-dns-redirect-udp': ambient,
	'ambient-dns-redirect-tcp': ambient,
	'ambient-dns-answer-jump': ambient,
	'ambient-dns-query-jump': ambient,
	'ambient-dns-zone-query': ambient,
	'ambient-dns-zone-answer': ambient,
	'ambient-host-jump': ambient,
	'ambient-host-probe-snat': ambient,
};
