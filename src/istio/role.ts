/** What a rule is for. */
export type Role =
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
