/**
What the options of ambient mode mean for one connection: the rules that should match, by role, and the listener of ztunnel that should accept. ztunnel is the proxy here; it is recognized by the mark of its packets, not by its user.
*/

import type {Role} from '../../mesh/roles.js';
import {hasInterface} from '../../netfilter/interface-name.js';
import type {AmbientIntent} from '../../mesh/intent.js';
import {isHostLoopback, isLocal} from '../../mesh/selection.js';
import {podInterfaceOf} from '../../mesh/topology.js';
import type {Connection, ExpectationContext} from '../../mesh/traffic.js';
import type {Decision} from './expected-inbound.js';

/** Traffic from the remote namespace to one of the pod's addresses. */
export function arrivingInAmbient(context: ExpectationContext, ambient: AmbientIntent, {source, destination}: Connection): Decision {
	const {intent, family, topology} = context;
	if (hasInterface(ambient.rerouteVirtualInterfaces, podInterfaceOf(topology))) {
		return {roles: ['ambient-inbound-jump', 'ambient-virtual-interface-capture'], to: 'outbound-listener'};
	}

	if (ambient.ingress) {
		return {roles: [], to: 'destination'};
	}

	// By TPROXY in mangle, by redirection in nat.
	const jump: Role = ambient.isTproxy ? 'ambient-mark-inbound-jump' : 'ambient-inbound-jump';
	if (source === ambient.probeSource[family]) {
		return {roles: [jump, 'ambient-probe-inbound'], to: 'destination'};
	}

	return destination.port === intent.inboundTunnelPort || isHostLoopback(context, destination.address)
		? {roles: [], to: 'destination'}
		: {roles: [jump, ambient.isTproxy ? 'ambient-tproxy-capture' : 'ambient-inbound-redirect'], to: 'inbound-listener'};
}

/** Traffic of a process in the pod; over lo, the connection records that ztunnel opened it. */
export function leavingInAmbient(context: ExpectationContext, ambient: AmbientIntent, connection: Connection): Decision {
	const {mark, destination} = connection;
	const isMarked = mark === ambient.mark;
	const overLo = isLocal(context, destination.address);
	const toOther = overLo && !isHostLoopback(context, destination.address);
	const inMangle: readonly Role[] = [
		...(isMarked && overLo ? ['ambient-connection-mark'] : []),
		...(ambient.isTproxy && toOther ? ['ambient-tproxy-loopback'] : []),
	];
	const noted: readonly Role[] = inMangle.length === 0 ? [] : ['ambient-mark-inbound-jump', ...inMangle];
	const letGo = (...roles: readonly Role[]): Decision => ({roles: ['outbound-jump', ...roles, ...noted], to: 'destination'});
	if (destination.address === ambient.probeSource[context.family]) {
		return letGo('ambient-probe-outbound');
	}

	if (isHostLoopback(context, destination.address)) {
		return letGo();
	}

	if (overLo) {
		return letGo('ambient-loopback-bypass');
	}

	return isMarked ? letGo() : {roles: ['outbound-jump', 'ambient-outbound-redirect'], to: 'outbound-listener'};
}
