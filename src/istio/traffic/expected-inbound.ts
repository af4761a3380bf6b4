/**
The rules that inbound traffic should meet: over the pod's interface in nat PREROUTING, and under TPROXY in mangle PREROUTING, which traffic over lo meets as well.
*/

import type {Role} from '../../mesh/roles.js';
import {hasInterface} from '../../netfilter/interface-name.js';
import {hasPort, isHostLoopback, rangeOf} from '../../mesh/selection.js';
import {podInterfaceOf} from '../../mesh/topology.js';
import type {Connection, ExpectationContext} from '../../mesh/traffic.js';

/** What the rules do to a connection: let it go, or redirect it to one of the proxy's listeners. */
export type Decision = {readonly roles: readonly Role[]; readonly to: 'destination' | 'outbound-listener' | 'inbound-listener'};

/** The mark of the proxy's packets to its own pod under TPROXY: fixed in istio-iptables (`constants.OutboundMark`). */
export const hairpinMark = 1338;

/** Traffic from the remote namespace to one of the pod's addresses. */
export function arriving(context: ExpectationContext, {source, mark, destination}: Connection): Decision {
	const device = podInterfaceOf(context.topology);
	if (context.intent.inboundInterceptionMode !== 'TPROXY') {
		return natPrerouting(context, {device, destination});
	}

	const mangle = manglePrerouting(context, {
		device, source, mark, destination,
	});
	const nat = natInterfaces(context, {device, destination});
	return {roles: [...mangle.roles, ...nat?.roles ?? []], to: nat?.to === 'outbound-listener' ? nat.to : mangle.to};
}

type Arrival = {readonly device: string; readonly destination: Connection['destination']};

function natPrerouting(context: ExpectationContext, arrival: Arrival): Decision {
	return natInterfaces(context, arrival) ?? inbound(context, arrival.destination.port);
}

/** `shortCircuitExcludeInterfaces` and `shortCircuitKubeInternalInterface`: rules for interfaces of virtual machines come before those for excluded ones, and their captures before their returns. */
function natInterfaces({intent, family}: ExpectationContext, {device, destination}: Arrival): Decision | undefined {
	const {kubeVirtInterfaces, excludeInterfaces, outboundIpRangesInclude: include} = intent;
	const isVirtual = hasInterface(kubeVirtInterfaces, device);
	if (isVirtual && (include === '*' || rangeOf(include, destination.address, family) !== undefined)) {
		return {roles: ['virtual-interface-capture', 'outbound-redirect'], to: 'outbound-listener'};
	}

	return isVirtual || hasInterface(excludeInterfaces, device) ? {roles: ['interface-exclude-inbound'], to: 'destination'} : undefined;
}

/** `handleInboundPortsInclude` in nat. */
function inbound({intent: {inboundPortsInclude: include, inboundPortsExclude: exclude, inboundTunnelPort, inboundExceptsTunnelPort}}: ExpectationContext, port: number): Decision {
	if (include.length === 0) {
		return {roles: [], to: 'destination'};
	}

	if (inboundExceptsTunnelPort && port === inboundTunnelPort) {
		return {roles: ['inbound-jump', 'inbound-tunnel-port'], to: 'destination'};
	}

	if (include === '*') {
		return hasPort(exclude, port)
			? {roles: ['inbound-jump', 'inbound-port-exclude'], to: 'destination'}
			: {roles: ['inbound-jump', 'inbound-capture', 'inbound-redirect'], to: 'inbound-listener'};
	}

	return hasPort(include, port)
		? {roles: ['inbound-jump', 'inbound-port-include', 'inbound-redirect'], to: 'inbound-listener'}
		: {roles: ['inbound-jump'], to: 'destination'};
}

/** `handleInboundPortsInclude` in mangle, after the rules that `Run` inserts under TPROXY: packets with the proxy's mark are exempt, and so is traffic over lo, except for the proxy's own connections to its pod. */
export function manglePrerouting(context: ExpectationContext, {device, source, mark, destination}: Arrival & Pick<Connection, 'source' | 'mark'>): Decision {
	const {intent, topology, family} = context;
	if (hasInterface(intent.excludeInterfaces, device)) {
		return {roles: ['interface-exclude-inbound'], to: 'destination'};
	}

	const isMarked = mark === intent.inboundTproxyMark;
	const passed = (roles: readonly Role[]): Decision => ({roles: isMarked ? [...roles, 'tproxy-mark-save'] : roles, to: 'destination'});
	const {inboundPortsInclude: include, inboundPortsExclude: exclude} = intent;
	if (include.length === 0) {
		return passed([]);
	}

	if (isMarked) {
		return passed(['inbound-jump', 'tproxy-mark-bypass']);
	}

	if (intent.tproxyMarksHairpin && device === 'lo' && source === topology.passthroughSource[family]) {
		return passed(['inbound-jump', 'tproxy-passthrough-source']);
	}

	if (intent.tproxyMarksHairpin && device === 'lo' && mark !== hairpinMark) {
		return passed(['inbound-jump', 'tproxy-loopback-not-hairpin']);
	}

	if (include === '*' && hasPort(exclude, destination.port)) {
		return passed(['inbound-jump', 'inbound-port-exclude']);
	}

	const isCaptured = (include === '*' || hasPort(include, destination.port)) && !isHostLoopback(context, destination.address);
	return isCaptured ? {roles: ['inbound-jump', 'tproxy-capture', 'tproxy-redirect'], to: 'inbound-listener'} : passed(['inbound-jump']);
}
