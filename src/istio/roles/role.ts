/** What a rule is for. */
export type Role =
	| AmbientRole
	| 'inbound-jump' | 'inbound-tunnel-port' | 'inbound-ssh' | 'inbound-port-exclude' | 'inbound-port-include' | 'inbound-capture' | 'inbound-redirect'
	| 'outbound-jump' | 'outbound-redirect' | 'outbound-port-exclude' | 'outbound-port-include' | 'outbound-capture' | 'range-exclude' | 'range-include' | 'range-rest'
	| 'passthrough-source' | 'hairpin-by-uid' | 'loopback-not-proxy-uid' | 'proxy-uid-bypass' | 'hairpin-by-gid' | 'loopback-not-proxy-gid' | 'proxy-gid-bypass'
	| 'group-include' | 'group-exclude' | 'localhost-bypass'
	| 'interface-exclude-inbound' | 'interface-exclude-outbound' | 'virtual-interface-capture'
	| 'invalid-jump' | 'invalid-drop'
	| 'dns-jump' | 'dns-udp-jump' | 'dns-query-bypass' | 'dns-group-include' | 'dns-translate' | 'dns-translate-source' | 'dns-redirect-tcp' | 'dns-redirect-udp' | 'dns-zone-jump' | 'dns-zone-proxy-query' | 'dns-zone-agent-answer' | 'dns-zone-query' | 'dns-answer-jump' | 'dns-zone-answer'
	| 'tproxy-mark-bypass' | 'tproxy-passthrough-source' | 'tproxy-loopback-not-hairpin' | 'tproxy-divert-established' | 'tproxy-capture' | 'tproxy-divert-mark' | 'tproxy-divert-accept'
	| 'tproxy-redirect' | 'tproxy-mark-save' | 'tproxy-loopback-marked' | 'tproxy-hairpin-mark-by-uid' | 'tproxy-hairpin-mark-by-gid' | 'tproxy-mark-restore'
	| 'tproxy-loopback-mark';

/** What a rule of ambient mode is for. nat's way from OUTPUT to ISTIO_OUTPUT is the sidecar's `outbound-jump`: the same rule for the same purpose. */
export type AmbientRole =
	| 'ambient-inbound-jump' | 'ambient-virtual-interface-capture' | 'ambient-virtual-interface-return' | 'ambient-probe-inbound' | 'ambient-inbound-redirect'
	| 'ambient-probe-outbound' | 'ambient-marked-bypass' | 'ambient-loopback-bypass' | 'ambient-outbound-redirect'
	| 'ambient-mark-inbound-jump' | 'ambient-mark-outbound-jump' | 'ambient-connection-mark' | 'ambient-mark-restore'
	| 'ambient-dns-redirect-udp' | 'ambient-dns-redirect-tcp' | 'ambient-dns-answer-jump' | 'ambient-dns-query-jump' | 'ambient-dns-zone-query' | 'ambient-dns-zone-answer'
	| 'ambient-host-jump' | 'ambient-host-probe-snat';
