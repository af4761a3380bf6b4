/**
A1 to A5: exclusions by interface, base chains, and what comes in.
*/

import {
	append, insert, ipOf, type NativeContext, type PlannedRule,
} from './rule-list.js';

/** A1, steps 5 and 6: interfaces that are left alone, in nat, and under TPROXY in mangle too. */
export function excludedInterfaces({shared: {options, inboundTable}}: NativeContext): readonly PlannedRule[] {
	const tables = inboundTable === 'mangle' ? ['nat', 'mangle'] as const : ['nat'] as const;
	return tables.flatMap(table => options.excludeInterfaces.flatMap(name => [
		append(table, 'prerouting', `iifname ${name}`, 'return'),
		append(table, 'output', `oifname ${name}`, 'return'),
	]));
}

/** A2, step 7: what comes from a virtual machine is no inbound traffic. Each goes on top, so the last one stands first. */
export function virtualInterfaces({shared: {options}}: NativeContext): readonly PlannedRule[] {
	return options.kubeVirtInterfaces.map(name => insert('nat', 'prerouting', {index: 0, conditions: `iifname ${name}`, verdict: 'return'}));
}

/** A3, step 8: packets that conntrack cannot place; of TCP only, unlike the twin's. */
export function invalidPackets({shared: {options}}: NativeContext): readonly PlannedRule[] {
	return options.dropInvalid
		? [append('mangle', 'prerouting', 'meta l4proto tcp ct state invalid', 'jump istio-drop'), append('mangle', 'istio-drop', '', 'drop')]
		: [];
}

/** A4, steps 9 to 11: the tunnel port, and the two redirections. Written always, whoever jumps there. */
export function baseChains({shared: {options}}: NativeContext): readonly PlannedRule[] {
	return [
		append('nat', 'istio-inbound', `meta l4proto tcp tcp dport ${options.inboundTunnelPort}`, 'return'),
		append('nat', 'istio-redirect', 'meta l4proto tcp', `redirect to :${options.proxyPort}`),
		append('nat', 'istio-in-redirect', 'meta l4proto tcp', `redirect to :${options.inboundCapturePort}`),
	];
}

/** A5, steps 12 to 15: the inbound capture, if there is any. A range of ports stands as it was given, which nft does not take. */
export function inbound(context: NativeContext): readonly PlannedRule[] {
	const {options, inboundTable} = context.shared;
	const {inboundPortsInclude: include, inboundPortsExclude: exclude} = options;
	if (include.length === 0) {
		return [];
	}

	const captured = include === '*' ? [''] : include.map(port => ` tcp dport ${port}`);
	return [
		// 12.
		...(inboundTable === 'mangle' ? tproxyChains(context) : []),
		// 13.
		append(inboundTable, 'prerouting', 'meta l4proto tcp', 'jump istio-inbound'),
		// 14. Excluded ports count only where everything else is captured.
		...(include === '*' ? exclude : []).map(port => append(inboundTable, 'istio-inbound', `meta l4proto tcp tcp dport ${port}`, 'return')),
		// 14 and 15.
		...captured.flatMap(match => inboundTable === 'mangle'
			? [
				append('mangle', 'istio-inbound', `meta l4proto tcp ct state related,established${match}`, 'jump istio-divert'),
				append('mangle', 'istio-inbound', `meta l4proto tcp${match}`, 'jump istio-tproxy'),
			]
			: [append('nat', 'istio-inbound', `meta l4proto tcp${match}`, 'jump istio-in-redirect')]),
	];
}

/** Step 12: how packets are kept for the transparent listener. */
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
