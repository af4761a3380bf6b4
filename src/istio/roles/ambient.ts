/**
The roles of the rules of ambient mode (`cni/pkg/iptables` and `cni/pkg/nftables`, master 86c9f01f), in the pod and on its node. nat's jump from OUTPUT to ISTIO_OUTPUT is the sidecar's `outbound-jump`: the same rule for the same purpose.
*/

import type {Rule} from '../../netfilter/types.js';
import {usesProtocol, type RoleTable} from '../../mesh/roles.js';
import {ambientConstants} from '../ambient/options.js';
import {changed} from './history.js';

/** Ambient rules are in the pod since 1.21 (istio.io/v1.21/docs/ops/ambient/usage/traffic-redirection); each of them was read in master only. */
const ambient = changed('≥ 1.21', 'istio/istio master 86c9f01f, cni/pkg/iptables; no older one was read');

/** Inbound by TPROXY, as Istio's documentation of 1.21 shows it. */
const byTproxy = changed('1.21.0', 'istio.io/v1.21/docs/ops/ambient/usage/traffic-redirection, rules of a captured pod', '1.23');

const isTcp = usesProtocol('tcp');
const isUdp = usesProtocol('udp');

function looksUpProbes({matches}: Rule): boolean {
	return matches.some(match => match.kind === 'opaque' && match.text.includes(ambientConstants.probeSet));
}

/** Roles of ambient mode. */
export const ambientRoles = {
	'ambient-inbound-jump': {
		purpose: 'Sends traffic that arrives in the pod to ISTIO_PRERT.',
		...ambient,
		patterns: [{in: ['nat PREROUTING'], rule: '> ISTIO_PRERT'}],
	},
	'ambient-virtual-interface-capture': {
		purpose: 'Captures TCP that a virtual machine sends through its interface as outbound traffic.',
		...ambient,
		patterns: [{in: ['nat ISTIO_PRERT'], rule: 'in-interface protocol > redirect'}],
	},
	'ambient-virtual-interface-return': {
		purpose: 'Exempts TCP of a virtual machine from the inbound rules; the redirection before it matches all of it.',
		...ambient,
		patterns: [{in: ['nat ISTIO_PRERT'], rule: 'in-interface protocol > return'}],
	},
	'ambient-probe-inbound': {
		purpose: 'Lets health probes of the node, recognized by their source, reach the app without ztunnel.',
		...ambient,
		patterns: [{in: ['nat ISTIO_PRERT', 'mangle ISTIO_PRERT'], rule: 'source protocol > accept', when: isTcp}],
	},
	'ambient-inbound-redirect': {
		purpose: 'Redirects TCP that arrives neither on the tunnel port nor from ztunnel itself to ztunnel\'s plain inbound listener.',
		...ambient,
		patterns: [{in: ['nat ISTIO_PRERT'], rule: '!destination protocol !destination-port !mark > redirect'}],
	},
	'ambient-probe-outbound': {
		purpose: 'Lets connections to the source of the node\'s health probes go without ztunnel.',
		...ambient,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'destination protocol > accept', when: isTcp}],
	},
	'ambient-marked-bypass': {
		purpose: 'Exempts TCP with the mark of connections that ztunnel opened, so that answers are not captured.',
		...ambient,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: 'protocol mark > accept'}],
	},
	'ambient-loopback-bypass': {
		purpose: 'Lets the pod talk to its own addresses over lo without ztunnel.',
		...ambient,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '!destination out-interface > accept'}],
	},
	'ambient-outbound-redirect': {
		purpose: 'Redirects TCP that is not ztunnel\'s own to ztunnel\'s outbound listener.',
		...ambient,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '!destination protocol !mark > redirect'}],
	},
	'ambient-mark-inbound-jump': {
		purpose: 'Sends incoming packets to the rule that saves ztunnel\'s mark.',
		...ambient,
		patterns: [{in: ['mangle PREROUTING'], rule: '> ISTIO_PRERT'}],
	},
	'ambient-mark-outbound-jump': {
		purpose: 'Sends outgoing packets to the rule that restores the connection\'s mark.',
		...ambient,
		patterns: [{in: ['mangle OUTPUT'], rule: '> ISTIO_OUTPUT'}],
	},
	'ambient-connection-mark': {
		purpose: 'Records on the connection that ztunnel opened it.',
		...ambient,
		patterns: [{in: ['mangle ISTIO_PRERT'], rule: 'mark > set-connmark'}],
	},
	'ambient-mark-restore': {
		purpose: 'Puts the mark of a connection that ztunnel opened on the answers, so that they are delivered to ztunnel in the pod.',
		...ambient,
		patterns: [{in: ['mangle ISTIO_OUTPUT'], rule: 'connmark > restore-mark'}],
	},
	'ambient-tproxy-loopback': {
		purpose: 'Lets TCP to the pod\'s own addresses over lo reach the app without ztunnel, until 1.23.',
		...byTproxy,
		patterns: [{in: ['mangle ISTIO_PRERT'], rule: '!destination in-interface protocol > accept'}],
	},
	'ambient-tproxy-tunnel': {
		purpose: 'Delivers TCP to the HBONE tunnel port that is not ztunnel\'s own to ztunnel, with its destination unchanged, until 1.23.',
		...byTproxy,
		patterns: [{in: ['mangle ISTIO_PRERT'], rule: 'protocol destination-port !mark > tproxy'}],
	},
	'ambient-tproxy-established': {
		purpose: 'Accepts packets of established connections, until 1.23.',
		...byTproxy,
		patterns: [{in: ['mangle ISTIO_PRERT'], rule: 'protocol conntrack-state > accept'}],
	},
	'ambient-tproxy-capture': {
		purpose: 'Delivers inbound TCP that is not ztunnel\'s own to ztunnel\'s plain inbound listener, with its destination unchanged, until 1.23.',
		...byTproxy,
		patterns: [{in: ['mangle ISTIO_PRERT'], rule: '!destination protocol !mark > tproxy'}],
	},
	'ambient-dns-redirect-udp': {
		purpose: 'Redirects DNS over UDP that is not ztunnel\'s own to ztunnel.',
		...ambient,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '!out-interface protocol !mark destination-port > redirect', when: isUdp}],
	},
	'ambient-dns-redirect-tcp': {
		purpose: 'Redirects DNS over TCP that is not ztunnel\'s own to ztunnel.',
		...ambient,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '!destination protocol destination-port !mark > redirect', when: isTcp}],
	},
	'ambient-dns-answer-jump': {
		purpose: 'Sends incoming packets to the rule that chooses a conntrack zone for DNS answers.',
		...ambient,
		patterns: [{in: ['raw PREROUTING'], rule: '> ISTIO_PRERT'}],
	},
	'ambient-dns-query-jump': {
		purpose: 'Sends outgoing packets to the rule that chooses a conntrack zone for DNS queries.',
		...ambient,
		patterns: [{in: ['raw OUTPUT'], rule: '> ISTIO_OUTPUT'}],
	},
	'ambient-dns-zone-query': {
		purpose: 'Puts ztunnel\'s own DNS queries into a conntrack zone separate from captured ones.',
		...ambient,
		patterns: [{in: ['raw ISTIO_OUTPUT'], rule: 'protocol mark destination-port > ct-zone'}],
	},
	'ambient-dns-zone-answer': {
		purpose: 'Puts the answers of the real DNS servers into the zone of ztunnel\'s queries.',
		...ambient,
		patterns: [{in: ['raw ISTIO_PRERT'], rule: 'protocol !mark source-port > ct-zone'}],
	},
	'ambient-host-jump': {
		purpose: 'Sends traffic that leaves the node to ISTIO_POSTRT.',
		...ambient,
		patterns: [{in: ['nat POSTROUTING'], rule: '> ISTIO_POSTRT'}],
	},
	'ambient-host-probe-snat': {
		purpose: 'Gives the node\'s health probes of captured pods the source by which the pods recognize them.',
		...ambient,
		patterns: [
			{in: ['nat ISTIO_POSTRT'], rule: 'socket-exists protocol opaque > SNAT --to-source', when: looksUpProbes},
			// Native nft has no chain of the agent's for it, and tests for the kubelet's user instead of any socket.
			{in: ['nat POSTROUTING'], rule: 'uid protocol opaque > snat', when: looksUpProbes},
		],
	},
} as const satisfies RoleTable;
