/**
A1 to A5: exclusions by interface, base chains, and what comes in.
*/

import type {Context} from '../context.js';
import {
	append, insert, type PlannedRule,
} from './rule-list.js';
import {
	address, interfaceName, mark, ports,
} from './save-form.js';

/** A1, steps 5 and 6: interfaces that are left alone, in nat, and under TPROXY in mangle too. */
export function excludedInterfaces({options, inboundTable}: Context): readonly PlannedRule[] {
	const tables = inboundTable === 'mangle' ? ['nat', 'mangle'] as const : ['nat'] as const;
	return tables.flatMap(table => options.excludeInterfaces.flatMap(name => [
		append(table, 'PREROUTING', `${interfaceName('-i', name)}-j RETURN`),
		append(table, 'OUTPUT', `${interfaceName('-o', name)}-j RETURN`),
	]));
}

/** A2, step 7: what comes from a virtual machine is no inbound traffic. Each goes on top, so the last one stands first. */
export function virtualInterfaces({options}: Context): readonly PlannedRule[] {
	return options.kubeVirtInterfaces.map(name => insert('nat', 'PREROUTING', {position: 1, text: `${interfaceName('-i', name)}-j RETURN`}));
}

/** A3, step 8: packets that conntrack cannot place. */
export function invalidPackets({options, features}: Context): readonly PlannedRule[] {
	if (!options.dropInvalid) {
		return [];
	}

	const invalid = '-m conntrack --ctstate INVALID';
	return features.invalidDropChain
		? [append('mangle', 'PREROUTING', `${invalid} -j ISTIO_DROP`), append('mangle', 'ISTIO_DROP', '-j DROP')]
		: [append('mangle', 'PREROUTING', `${invalid} -j DROP`)];
}

/** A4, steps 9 to 11: the tunnel port, and the two redirections. Written always, whoever jumps there. */
export function baseChains({options}: Context): readonly PlannedRule[] {
	return [
		append('nat', 'ISTIO_INBOUND', `-p tcp -m tcp --dport ${options.inboundTunnelPort} -j RETURN`),
		append('nat', 'ISTIO_REDIRECT', `-p tcp -j REDIRECT --to-ports ${options.proxyPort}`),
		append('nat', 'ISTIO_IN_REDIRECT', `-p tcp -j REDIRECT --to-ports ${options.inboundCapturePort}`),
	];
}

/** A5, steps 12 to 15: the inbound capture, if there is any. */
export function inbound(context: Context): readonly PlannedRule[] {
	const {options, inboundTable} = context;
	const {inboundPortsInclude: include, inboundPortsExclude: exclude} = options;
	if (include.length === 0) {
		return [];
	}

	const captured = include === '*' ? ['-p tcp '] : include.map(port => `-p tcp -m tcp --dport ${ports(port)} `);
	return [
		// 12.
		...(inboundTable === 'mangle' ? tproxyChains(context) : []),
		// 13.
		append(inboundTable, 'PREROUTING', '-p tcp -j ISTIO_INBOUND'),
		// 14. Excluded ports count only where everything else is captured.
		...(include === '*' ? exclude : []).map(port => append(inboundTable, 'ISTIO_INBOUND', `-p tcp -m tcp --dport ${ports(port)} -j RETURN`)),
		// 14 and 15.
		...captured.flatMap(match => inboundTable === 'mangle'
			? [
				append('mangle', 'ISTIO_INBOUND', `${match}-m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT`),
				append('mangle', 'ISTIO_INBOUND', `${match}-j ISTIO_TPROXY`),
			]
			: [append('nat', 'ISTIO_INBOUND', `${match}-j ISTIO_IN_REDIRECT`)]),
	];
}

/** Step 12: how packets are kept for the transparent listener. `--on-ip` is what iptables prints when none is given. */
function tproxyChains({family, options, loopback}: Context): readonly PlannedRule[] {
	const kept = mark(options.inboundTproxyMark);
	const anyAddress = family === 'ipv4' ? '0.0.0.0' : '::';
	return [
		append('mangle', 'ISTIO_DIVERT', `-j MARK --set-xmark ${kept}/0xffffffff`),
		append('mangle', 'ISTIO_DIVERT', '-j ACCEPT'),
		append('mangle', 'ISTIO_TPROXY', `! ${address('-d', loopback)}-p tcp -j TPROXY --on-port ${options.inboundCapturePort} --on-ip ${anyAddress} --tproxy-mark ${kept}/0xffffffff`),
	];
}
