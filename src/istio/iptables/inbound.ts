/**
Exclusions by interface, the base chains, and inbound traffic.
*/

import type {Context} from '../context.js';
import {
	append, insert, type Place, type PlannedRule,
} from './rule-list.js';
import {
	comingIn, goingOut, inState, notTo, of, toPort, withSocket, type Part,
} from './save-form.js';
import {
	accept, drop, giveTo, jumpTo, leave, redirectTo, setMark,
} from './targets.js';

/** The inbound port that releases until 1.12 never captured: SSH. Fixed, not an option of istio-iptables (its rules, 1.10.6 to 1.12.9). */
const sshPort = '22';

const divert: Place = ['mangle', 'ISTIO_DIVERT'];

/** `shortCircuitExcludeInterfaces`: interfaces that are exempt, in nat, and under TPROXY also in mangle. */
export function excludedInterfaces({options, inboundTable}: Context): readonly PlannedRule[] {
	const tables = inboundTable === 'mangle' ? ['nat', 'mangle'] as const : ['nat'] as const;
	return tables.flatMap(table => options.excludeInterfaces.flatMap(name => [
		append([table, 'PREROUTING'], [comingIn(name)], leave),
		append([table, 'OUTPUT'], [goingOut(name)], leave),
	]));
}

/** `shortCircuitKubeInternalInterface`: traffic from a virtual machine is not inbound traffic. Each rule is inserted at the top, so the last one comes first. */
export function virtualInterfaces({options, isSeparate, features}: Context): readonly PlannedRule[] {
	return isSeparate && !features.ipv6VirtualInterfaces
		? []
		: options.kubeVirtInterfaces.map(name => insert(['nat', 'PREROUTING'], {position: 1, parts: [comingIn(name)], action: leave}));
}

/** `Run`, `DropInvalid`: packets that conntrack considers invalid. */
export function invalidPackets({options, features}: Context): readonly PlannedRule[] {
	if (!options.dropInvalid) {
		return [];
	}

	const invalid = [inState('INVALID')];
	return features.invalidDropChain
		? [append(['mangle', 'PREROUTING'], invalid, jumpTo('ISTIO_DROP')), append(['mangle', 'ISTIO_DROP'], [], drop)]
		: [append(['mangle', 'PREROUTING'], invalid, drop)];
}

/** `Run`: the tunnel port, and the two redirections. Always written, whatever jumps there. */
export function baseChains({options, features}: Context): readonly PlannedRule[] {
	const inboundPort = features.listedPortsGoToProxyPort && options.inboundPortsInclude !== '*' ? options.proxyPort : options.inboundCapturePort;
	return [
		...(features.tunnelPort ? [append(['nat', 'ISTIO_INBOUND'], [toPort('tcp', String(options.inboundTunnelPort))], leave)] : []),
		append(['nat', 'ISTIO_REDIRECT'], [of('tcp')], redirectTo(options.proxyPort)),
		append(['nat', 'ISTIO_IN_REDIRECT'], [of('tcp')], redirectTo(inboundPort)),
	];
}

/** `handleInboundPortsInclude`: the inbound capture, if there is any. */
export function inbound(context: Context): readonly PlannedRule[] {
	const {options, features, inboundTable} = context;
	const {inboundPortsInclude: include, inboundPortsExclude: exclude} = options;
	if (include.length === 0) {
		return [];
	}

	const chain: Place = [inboundTable, 'ISTIO_INBOUND'];
	// Excluded ports count only if all others are captured.
	const spared = include === '*' ? [...(features.sshExcluded ? [sshPort] : []), ...exclude] : [];
	const captured = include === '*' ? [of('tcp')] : include.map(port => toPort('tcp', port));
	return [
		...(inboundTable === 'mangle' ? tproxyChains(context) : []),
		append([inboundTable, 'PREROUTING'], [of('tcp')], jumpTo('ISTIO_INBOUND')),
		...spared.map(port => append(chain, [toPort('tcp', port)], leave)),
		...captured.flatMap(ports => inboundTable === 'mangle'
			? [...established(context, ports), append(chain, [ports], jumpTo('ISTIO_TPROXY'))]
			: [append(chain, [ports], jumpTo('ISTIO_IN_REDIRECT'))]),
	];
}

/** Established connections. In 1.5, which recognizes them by their socket, each port of a list gets two rules, as in its source. */
function established({options, features}: Context, ports: Part): readonly PlannedRule[] {
	const known = features.tproxyByConntrack ? inState('RELATED', 'ESTABLISHED') : withSocket;
	const rule = append(['mangle', 'ISTIO_INBOUND'], [ports, known], jumpTo('ISTIO_DIVERT'));
	return features.tproxyByConntrack || options.inboundPortsInclude === '*' ? [rule] : [rule, rule];
}

/** How packets are kept for the transparent listener. */
function tproxyChains({family, options, features, loopback}: Context): readonly PlannedRule[] {
	const mark = options.inboundTproxyMark;
	return [
		append(divert, [], setMark(mark)),
		append(divert, [], accept),
		append(['mangle', 'ISTIO_TPROXY'], [notTo(loopback), of('tcp')], giveTo({
			port: features.tproxyToCapturePort ? options.inboundCapturePort : options.proxyPort, anyAddress: family === 'ipv4' ? '0.0.0.0' : '::', mark,
		})),
	];
}
