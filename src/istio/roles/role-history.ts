/**
The release that brought each role. Rule lists are known from 1.5 on; what stands in the oldest of them, or belongs to an option that is older, is `≤ 1.5`.
*/

import type {Role} from './role.js';

/** When the rules have a role. `since` is a release; `≤ 1.5` is that one or an older one, `≥ 1.21` that one or a newer one. `until` is the last line that has it; null for one that is there still. */
export type RoleHistory = {readonly since: string; readonly until: string | null; readonly source: string};

/** The oldest release whose rules are known. */
const oldest = '≤ 1.5';

/** In the rules of a default sidecar of 1.5, read off the sources at its tag. */
const inOldest: RoleHistory = {since: oldest, until: null, source: 'istio/istio 1.5.10, rules of a default sidecar'};

function byOption(since: string, option: string): RoleHistory {
	return {since, until: null, source: `istio/istio, option ${option}`};
}

function changed(since: string, source: string, until: string | null = null): RoleHistory {
	return {since, until, source};
}

const oldestTproxy = byOption(oldest, '--istio-inbound-interception-mode (1.0)');
const connectionTproxy = changed('1.9.0', 'istio/istio 1.9.0, connection marks under TPROXY');
const hairpinTproxy = changed('1.11.0', 'istio/istio 1.11.0, marks of the proxy\'s hairpin under TPROXY; runs of 1.10.6 without and 1.11.8 with it');
const translated = changed('1.7.0', 'istio/istio 1.7, DNS by DNAT and SNAT', '1.8');
const dnsChain = changed('1.25.0', 'istio/istio 1.25.0, DNS rules moved to chains of their own');
const dnsZone = changed('1.10.3', 'istio/istio 1.10.3, by ISTIO_META_DNS_CONNTRACK_ZONE; always since 1.11.0');

/** Ambient rules stand in the pod since 1.21 (istio.io/v1.21/docs/ops/ambient/usage/traffic-redirection); each of them was read in master only. */
const ambient = changed('≥ 1.21', 'istio/istio master 86c9f01f, cni/pkg/iptables; no older one was read');

/** Every role with its release. */
export const roleHistory: Readonly<Record<Role, RoleHistory>> = {
	'inbound-jump': inOldest,
	'inbound-tunnel-port': byOption('1.7.0', '--inbound-tunnel-port; before, port 15008 was like any other'),
	'inbound-ssh': {...inOldest, until: '1.12'},
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
	'range-rest': {...byOption(oldest, '--istio-service-cidr (1.0)'), until: '1.22'},
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
	'invalid-jump': changed('1.24.0', 'istio/istio 1.24.0, chain ISTIO_DROP; before, -j DROP in its place'),
	'invalid-drop': byOption('1.12.2', '--drop-invalid'),
	'dns-jump': dnsChain,
	'dns-udp-jump': changed('1.23.0', 'istio/istio 1.23.0, DNS rules moved to the end of ISTIO_OUTPUT', '1.24'),
	'dns-query-bypass': changed('1.6.0', 'istio/istio 1.6, DNS_CAPTURE', '1.24'),
	'dns-group-include': {...byOption('1.14.0', 'ISTIO_OUTBOUND_OWNER_GROUPS with DNS capture'), until: '1.24'},
	'dns-translate': translated,
	'dns-translate-source': translated,
	'dns-redirect-tcp': changed('1.8.0', 'istio/istio 1.8, DNS over TCP to the agent'),
	'dns-redirect-udp': changed('1.6.0', 'istio/istio 1.6, DNS_CAPTURE; in 1.7 and 1.8 dns-translate in its place'),
	'dns-zone-jump': changed('1.23.0', 'istio/istio 1.23.0, DNS rules moved out of raw OUTPUT'),
	'dns-zone-proxy-query': dnsZone,
	'dns-zone-agent-answer': dnsZone,
	'dns-zone-query': dnsZone,
	'dns-answer-jump': dnsChain,
	'dns-zone-answer': dnsZone,
	'tproxy-mark-bypass': connectionTproxy,
	'tproxy-passthrough-source': hairpinTproxy,
	'tproxy-loopback-not-hairpin': hairpinTproxy,
	'tproxy-divert-established': oldestTproxy,
	'tproxy-capture': oldestTproxy,
	'tproxy-divert-mark': oldestTproxy,
	'tproxy-divert-accept': oldestTproxy,
	'tproxy-redirect': oldestTproxy,
	'tproxy-mark-save': connectionTproxy,
	'tproxy-loopback-marked': hairpinTproxy,
	'tproxy-hairpin-mark-by-uid': hairpinTproxy,
	'tproxy-hairpin-mark-by-gid': hairpinTproxy,
	'tproxy-loopback-mark': {...oldestTproxy, until: '1.8'},
	'tproxy-mark-restore': connectionTproxy,
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
