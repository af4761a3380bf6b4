/**
What ambient mode sets up besides its rules.
*/

import type {AddressFamily} from '../../netfilter/types.js';
import type {SidecarRouting} from '../../mesh/routing.js';
import {ambientConstants} from './options.js';

/** Local delivery of packets of connections that ztunnel opened: `ip rule add fwmark 0x111/0xfff pref 32764 lookup 100`, `ip route replace local default dev lo table 100` (`cni/pkg/iptables`, master 86c9f01f). */
export function ambientRouting(families: readonly AddressFamily[]): SidecarRouting {
	const {connectionMark, markMask, routeTable, rulePriority} = ambientConstants;
	return {
		loopbackAddresses: [],
		markRules: families.map(family => ({
			family, mark: connectionMark, mask: markMask, table: routeTable, priority: rulePriority,
		})),
		localRoutes: families.map(family => ({family, destination: family === 'ipv4' ? '0.0.0.0/0' : '::/0', table: routeTable})),
	};
}
