/**
What the options of ambient mode mean for one connection: the rules that should match, by role, and the listener of ztunnel that should accept. ztunnel is the proxy here; it is known by the mark of its packets, not by its user.
*/

import type {Role} from '../mesh/roles.js';
import {hasInterface} from '../netfilter/interface-name.js';
import type {AmbientIntent} from '../mesh/intent.js';
import type {Decision} from './expected-inbound.js';
import {isHostLoopback, isLocal} from './selection.js';
import type {Connection, ExpectationContext} from './types.js';

/** What comes from the remote namespace to one of the pod's addresses. */
export function arrivingInAmbient(context: ExpectationContext, ambient: AmbientIntent, {source, destination}: Connection): Decision {
	const {intent, family} = context;
	if (hasInterface(ambient.rerouteVirtualInterfaces, 'eth0')) {
		return {roles: ['ambient-inbound-jump', 'ambient-virtual-interface-capture'], to: 'outbound-listener'};
	}

	if (ambient.ingress) {
		return {roles: [], to: 'destination'};
	}

	if (source === ambient.probeSource[family]) {
		return {roles: ['ambient-inbound-jump', 'ambient-probe-inbound'], to: 'destination'};
	}

	return destination.port === intent.inboundTunnelPort || isHostLoopback(context, destination.address)
		? {roles: [], to: 'destination'}
		: {roles: ['ambient-inbound-jump', 'ambient-inbound-redirect'], to: 'inbound-listener'};
}

/** What a process of the pod sends; over lo what ztunnel sent is noted on the connection. */
export function leavingInAmbient(context: ExpectationContext, ambient: AmbientIntent, connection: Connection): Decision {
	const {mark, destination} = connection;
	const isMarked = mark === ambient.mark;
	const overLo = isLocal(context, destination.address);
	const noted: readonly Role[] = isMarked && overLo ? ['ambient-mark-inbound-jump', 'ambient-connection-mark'] : [];
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
