/**
A1 to A5: exclusions by interface, base chains, and what comes in.
*/

import type {Context} from '../context.js';
import {
	append, insert, type PlannedRule,
} from './rule-list.js';
import {
	address, destinationPort, interfaceName, mark,
} from './save-form.js';

/** Which inbound port the releases until 1.12 never captured: SSH. Fixed, not an option of istio-iptables (its rules, 1.10.6 to 1.12.9). */
const sshPort = '22';

/** A1, steps 5 and 6: interfaces that are left alone, in nat, and under TPROXY in mangle too. */
export function excludedInterfaces({options, inboundTable}: Context): readonly PlannedRule[] {
	const tables = inboundTable === 'mangle' ? ['nat', 'mangle'] as const : ['nat'] as const;
	return tables.flatMap(table => options.excludeInterfaces.flatMap(name => [
		append(table, 'PREROUTING', `${interfaceName('-i', name)}-j RETURN`),
		append(table, 'OUTPUT', `${interfaceName('-o', name)}-j RETURN`),
	]));
}

/** A2, step 7: what comes from a virtual machine is no inbound traffic. Each goes on top, so the last one stands first. */
export function virtualInterfaces({options, isSeparate, features}: Context): readonly PlannedRule[] {
	return isSeparate && !features.ipv6VirtualInterfaces
		? []
		: options.kubeVirtInterfaces.map(name => insert('nat', 'PREROUTING', {position: 1, text: `${interfaceName('-i', name)}-j RETURN`}));
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
export function baseChains({options, features}: Context): readonly PlannedRule[] {
	const inboundPort = features.listedPortsGoToProxyPort && options.inboundPortsInclude !== '*' ? options.proxyPort : options.inboundCapturePort;
	return [
		...(features.tunnelPort ? [append('nat', 'ISTIO_INBOUND', `${destinationPort('tcp', String(options.inboundTunnelPort))}-j RETURN`)] : []),
		append('nat', 'ISTIO_REDIRECT', `-p tcp -j REDIRECT --to-ports ${options.proxyPort}`),
		append('nat', 'ISTIO_IN_REDIRECT', `-p tcp -j REDIRECT --to-ports ${inboundPort}`),
	];
}

/** A5, steps 12 to 15: the inbound capture, if there is any. */
export function inbound(context: Context): readonly PlannedRule[] {
	const {options, features, inboundTable} = context;
	const {inboundPortsInclude: include, inboundPortsExclude: exclude} = options;
	if (include.length === 0) {
		return [];
	}

	// 14. Excluded ports count only where everything else is captured.
	const spared = include === '*' ? [...(features.sshExcluded ? [sshPort] : []), ...exclude] : [];
	const captured = include === '*' ? ['-p tcp '] : include.map(port => destinationPort('tcp', port));
	return [
		// 12.
		...(inboundTable === 'mangle' ? tproxyChains(context) : []),
		// 13.
		append(inboundTable, 'PREROUTING', '-p tcp -j ISTIO_INBOUND'),
		// 14.
		...spared.map(port => append(inboundTable, 'ISTIO_INBOUND', `${destinationPort('tcp', port)}-j RETURN`)),
		// 14 and 15.
		...captured.flatMap(match => inboundTable === 'mangle'
			? [...established(context, match), append('mangle', 'ISTIO_INBOUND', `${match}-j ISTIO_TPROXY`)]
			: [append('nat', 'ISTIO_INBOUND', `${match}-j ISTIO_IN_REDIRECT`)]),
	];
}

/** Connections under way. By its socket, each port of a list is asked for twice: so it stands in the source of 1.5. */
function established({options, features}: Context, match: string): readonly PlannedRule[] {
	if (features.tproxyByConntrack) {
		return [append('mangle', 'ISTIO_INBOUND', `${match}-m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT`)];
	}

	const rule = append('mangle', 'ISTIO_INBOUND', `${match}-m socket -j ISTIO_DIVERT`);
	return options.inboundPortsInclude === '*' ? [rule] : [rule, rule];
}

/** Step 12: how packets are kept for the transparent listener. `--on-ip` is what iptables prints when none is given. */
function tproxyChains({family, options, features, loopback}: Context): readonly PlannedRule[] {
	const kept = mark(options.inboundTproxyMark);
	const anyAddress = family === 'ipv4' ? '0.0.0.0' : '::';
	const port = features.tproxyToCapturePort ? options.inboundCapturePort : options.proxyPort;
	return [
		append('mangle', 'ISTIO_DIVERT', `-j MARK --set-xmark ${kept}/0xffffffff`),
		append('mangle', 'ISTIO_DIVERT', '-j ACCEPT'),
		append('mangle', 'ISTIO_TPROXY', `! ${address('-d', loopback)}-p tcp -j TPROXY --on-port ${port} --on-ip ${anyAddress} --tproxy-mark ${kept}/0xffffffff`),
	];
}
