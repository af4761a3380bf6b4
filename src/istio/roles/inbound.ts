/**
The roles of a sidecar's rules for inbound traffic.
*/

import type {Rule} from '../../netfilter/types.js';
import {anyPort, type EarlierRules, type RoleTable} from '../../mesh/roles.js';
import {
	byOption, changed, inOldest, oldest,
} from './history.js';

type InboundRole = keyof typeof inboundRoles;

/** Without a chain, only the first rule can be the tunnel port's. In 1.5 and 1.6, which had no tunnel, SSH's comes first. */
function isNotTunnelPort(rule: Rule, earlier: EarlierRules): boolean {
	return isForSsh(rule) || (earlier === undefined ? rule.number !== 1 : earlier.some(({roles}) => roles.includes('inbound-tunnel-port' satisfies InboundRole)));
}

/** The port that releases until 1.12 never captured is the only one that the program itself names; all other rules are recognized by their place. */
function isForSsh({matches}: Rule): boolean {
	return matches.some(match => match.kind === 'destination-port' && match.ranges.length === 1 && match.ranges[0]?.from === 22 && match.ranges[0].to === 22);
}

/** SSH's rule comes before those of all excluded ports, and after the tunnel port's if there is one. */
function isBehindPorts(rule: Rule, earlier: EarlierRules): boolean {
	return earlier === undefined ? rule.number > 2 : earlier.filter(({roles}) => roles.includes('inbound-port-exclude' satisfies InboundRole)).length > 1;
}

/** Inbound roles of a sidecar. */
export const inboundRoles = {
	'inbound-jump': {
		purpose: 'Sends TCP that arrives in the pod to ISTIO_INBOUND.',
		...inOldest,
		patterns: [{in: ['nat PREROUTING', 'mangle PREROUTING'], rule: 'protocol > ISTIO_INBOUND'}],
	},
	'inbound-ssh': {
		purpose: 'Exempts SSH if all inbound ports are captured, until 1.12.',
		...inOldest, until: '1.12',
		patterns: [{in: ['nat ISTIO_INBOUND', 'mangle ISTIO_INBOUND'], rule: 'protocol destination-port > return', when: isForSsh, unless: isBehindPorts}],
	},
	'inbound-tunnel-port': {
		purpose: 'Exempts the HBONE tunnel port, because the proxy listens on it itself.',
		...byOption('1.7.0', '--inbound-tunnel-port; before, port 15008 was like any other'),
		patterns: [{in: ['nat ISTIO_INBOUND'], rule: 'protocol destination-port > return', unless: isNotTunnelPort}],
	},
	'inbound-port-exclude': {
		purpose: 'Exempts an excluded inbound port, so that it is reached without the inbound listener.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_INBOUND', 'mangle ISTIO_INBOUND'], rule: 'protocol > return', also: anyPort}],
	},
	'inbound-port-include': {
		purpose: 'Captures one included inbound port.',
		...byOption(oldest, '--istio-inbound-ports (1.0)'),
		patterns: [{in: ['nat ISTIO_INBOUND'], rule: 'protocol destination-port > ISTIO_IN_REDIRECT'}],
	},
	'inbound-capture': {
		purpose: 'Captures all inbound TCP that no earlier rule of the chain exempted.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_INBOUND'], rule: 'protocol > ISTIO_IN_REDIRECT'}],
	},
	'inbound-redirect': {
		purpose: 'Redirects captured TCP to the proxy\'s inbound listener.',
		...inOldest,
		patterns: [{in: ['nat ISTIO_IN_REDIRECT'], rule: 'protocol > redirect'}],
	},
	'interface-exclude-inbound': {
		purpose: 'Exempts traffic from an excluded or virtual interface.',
		...byOption(oldest, '--kube-virt-interfaces (1.1); for --istio-exclude-interfaces since 1.11.3'),
		patterns: [{in: ['nat PREROUTING', 'mangle PREROUTING'], rule: '> return', also: ['in-interface']}],
	},
	'virtual-interface-capture': {
		purpose: 'Captures traffic that a virtual machine sends through its interface as outbound traffic.',
		...byOption(oldest, '--kube-virt-interfaces (1.1)'),
		patterns: [{in: ['nat PREROUTING'], rule: '> ISTIO_REDIRECT', also: ['in-interface', 'destination']}],
	},
	'invalid-jump': {
		purpose: 'Sends packets that conntrack considers invalid to the rule that drops them.',
		...changed('1.24.0', 'istio/istio 1.24.0, chain ISTIO_DROP; before, -j DROP in its place'),
		// Native nft also tests for TCP.
		patterns: [{in: ['mangle PREROUTING'], rule: 'conntrack-state > ISTIO_DROP', also: ['protocol']}],
	},
	'invalid-drop': {
		purpose: 'Drops packets that conntrack considers invalid.',
		...byOption('1.12.2', '--drop-invalid'),
		patterns: [
			{in: ['mangle PREROUTING'], rule: 'conntrack-state > drop'},
			{in: ['mangle ISTIO_DROP'], rule: '> drop'},
		],
	},
} as const satisfies RoleTable;
