/**
Exclusions by interface, the base chains, and inbound traffic. Names in the comments are those of the functions in Istio's `run.go`, see `sidecar.ts`.
*/

import {
	append, insert, ipOf, type NativeContext, type PlannedRule,
} from './rule-list.js';

/** `shortCircuitExcludeInterfaces`: interfaces that are exempt, in nat, and under TPROXY also in mangle. */
export function excludedInterfaces({shared: {options, inboundTable}}: NativeContext): readonly PlannedRule[] {
	const tables = inboundTable === 'mangle' ? ['nat', 'mangle'] as const : ['nat'] as const;
	return tables.flatMap(table => options.excludeInterfaces.flatMap(name => [
		append(table, 'prerouting', `iifname ${name}`, 'return'),
		append(table, 'output', `oifname ${name}`, 'return'),
	]));
}

/** `shortCircuitKubeInternalInterface`: traffic from a virtual machine is not inbound traffic. Each rule is inserted at the top, so the last one comes first. */
export function virtualInterfaces({shared: {options}}: NativeContext): readonly PlannedRule[] {
	return options.kubeVirtInterfaces.map(name => insert('nat', 'prerouting', {index: 0, conditions: `iifname ${name}`, verdict: 'return'}));
}

/** `Run`, `DropInvalid`: packets that conntrack considers invalid; only TCP, unlike the iptables back end. */
export function invalidPackets({shared: {options}}: NativeContext): readonly PlannedRule[] {
	return options.dropInvalid
		? [append('mangle', 'prerouting', 'meta l4proto tcp ct state invalid', 'jump istio-drop'), append('mangle', 'istio-drop', '', 'drop')]
		: [];
}

/** `Run`: the tunnel port, and the two redirections. Always written, whatever jumps there. */
export function baseChains({shared: {options}}: NativeContext): readonly PlannedRule[] {
	return [
		append('nat', 'istio-inbound', `meta l4proto tcp tcp dport ${options.inboundTunnelPort}`, 'return'),
		append('nat', 'istio-redirect', 'meta l4proto tcp', `redirect to :${options.proxyPort}`),
		append('nat', 'istio-in-redirect', 'meta l4proto tcp', `redirect to :${options.inboundCapturePort}`),
	];
}

/** `handleInboundPortsInclude`: the inbound capture, if there is any. A range of ports is written unchanged, which nft rejects. */
export function inbound(context: NativeContext): readonly PlannedRule[] {
	const {options, inboundTable} = context.shared;
	const {inboundPortsInclude: include, inboundPortsExclude: exclude} = options;
	if (include.length === 0) {
		return [];
	}

	const captured = include === '*' ? [''] : include.map(port => ` tcp dport ${port}`);
	return [
		...(inboundTable === 'mangle' ? tproxyChains(context) : []),
		append(inboundTable, 'prerouting', 'meta l4proto tcp', 'jump istio-inbound'),
		// Excluded ports count only if all others are captured.
		...(include === '*' ? exclude : []).map(port => append(inboundTable, 'istio-inbound', `meta l4proto tcp tcp dport ${port}`, 'return')),
		...captured.flatMap(match => inboundTable === 'mangle'
			? [
				append('mangle', 'istio-inbound', `meta l4proto tcp ct state related,established${match}`, 'jump istio-divert'),
				append('mangle', 'istio-inbound', `meta l4proto tcp${match}`, 'jump istio-tproxy'),
			]
			: [append('nat', 'istio-inbound', `meta l4proto tcp${match}`, 'jump istio-in-redirect')]),
	];
}

/** How packets are kept for the transparent listener. */
function tproxyChains({shared: {options}, perFamily}: NativeContext): readonly PlannedRule[] {
	const {inboundTproxyMark: mark, inboundCapturePort: port} = options;
	return [
		append('mangle', 'istio-divert', '', `meta mark set ${mark}`),
		append('mangle', 'istio-divert', '', 'accept'),
		...perFamily.map(({family, loopback}) => {
			const ip = ipOf(family);
			return append('mangle', 'istio-tproxy', `meta l4proto tcp ${ip} daddr != ${loopback} tproxy ${ip} to :${port} meta mark set ${mark}`, 'accept');
		}),
	];
}
