/**
The shapes of the rules of ambient mode, in the manner of `role-shapes.ts`, and what each is for. Chains have the names of iptables; `backend-names.ts` brings native nft ones to them.
*/

import type {Rule} from '../../netfilter/types.js';
import {ambientConstants} from '../ambient/options.js';
import type {AmbientRole} from './role.js';
import {row, usesProtocol, type RoleShape} from './role-shapes.js';

/** One sentence for each role (`cni/pkg/iptables` and `cni/pkg/nftables`, master 86c9f01f). */
export const ambientPurposes: Readonly<Record<AmbientRole, string>> = {
	'ambient-inbound-jump': 'Hands what comes into the pod to ISTIO_PRERT.',
	'ambient-virtual-interface-capture': 'Captures as outbound the TCP that a virtual machine sends through its interface.',
	'ambient-virtual-interface-return': 'Keeps TCP of a virtual machine away from the inbound rules; the redirection before it takes all of it.',
	'ambient-probe-inbound': 'Lets health probes of the node, known by their source, reach the app without ztunnel.',
	'ambient-inbound-redirect': 'Redirects TCP that comes in by neither the tunnel port nor ztunnel itself to ztunnel\'s plain inbound listener.',
	'ambient-probe-outbound': 'Lets connections to the source of the node\'s health probes go without ztunnel.',
	'ambient-marked-bypass': 'Lets TCP with the mark of connections that ztunnel opened go, so that answers are not captured.',
	'ambient-loopback-bypass': 'Lets the pod talk to its own addresses over lo without ztunnel.',
	'ambient-outbound-redirect': 'Redirects TCP that is not ztunnel\'s own to ztunnel\'s outbound listener.',
	'ambient-mark-inbound-jump': 'Hands incoming packets to the rule that notes ztunnel\'s mark.',
	'ambient-mark-outbound-jump': 'Hands outgoing packets to the rule that restores the connection\'s mark.',
	'ambient-connection-mark': 'Notes on the connection that ztunnel opened it.',
	'ambient-mark-restore': 'Puts the mark of a connection that ztunnel opened on the answers, so that they are delivered to ztunnel in the pod.',
	'ambient-dns-redirect-udp': 'Redirects DNS over UDP that is not ztunnel\'s own to ztunnel.',
	'ambient-dns-redirect-tcp': 'Redirects DNS over TCP that is not ztunnel\'s own to ztunnel.',
	'ambient-dns-answer-jump': 'Hands incoming packets to the rule that chooses a conntrack zone for DNS answers.',
	'ambient-dns-query-jump': 'Hands outgoing packets to the rule that chooses a conntrack zone for DNS queries.',
	'ambient-dns-zone-query': 'Puts ztunnel\'s own DNS queries into a conntrack zone apart from the captured ones.',
	'ambient-dns-zone-answer': 'Puts the answers of the real DNS servers into the zone of ztunnel\'s queries.',
	'ambient-host-jump': 'Hands what leaves the node to ISTIO_POSTRT.',
	'ambient-host-probe-snat': 'Gives the node\'s health probes of captured pods the source by which the pods know them.',
};

function looksUpProbes({matches}: Rule): boolean {
	return matches.some(match => match.kind === 'opaque' && match.text.includes(ambientConstants.probeSet));
}

/** All rows. */
export const ambientRoleShapes: readonly RoleShape[] = [
	row('ambient-inbound-jump', 'nat PREROUTING', '> ISTIO_PRERT'),
	row('ambient-virtual-interface-capture', 'nat ISTIO_PRERT', 'in-interface protocol > redirect'),
	row('ambient-virtual-interface-return', 'nat ISTIO_PRERT', 'in-interface protocol > return'),
	row('ambient-probe-inbound', 'nat ISTIO_PRERT', 'source protocol > accept', {when: usesProtocol('tcp')}),
	row('ambient-inbound-redirect', 'nat ISTIO_PRERT', '!destination protocol !destination-port !mark > redirect'),
	row('ambient-probe-outbound', 'nat ISTIO_OUTPUT', 'destination protocol > accept', {when: usesProtocol('tcp')}),
	row('ambient-dns-redirect-udp', 'nat ISTIO_OUTPUT', '!out-interface protocol !mark destination-port > redirect', {when: usesProtocol('udp')}),
	row('ambient-dns-redirect-tcp', 'nat ISTIO_OUTPUT', '!destination protocol destination-port !mark > redirect', {when: usesProtocol('tcp')}),
	row('ambient-marked-bypass', 'nat ISTIO_OUTPUT', 'protocol mark > accept'),
	row('ambient-loopback-bypass', 'nat ISTIO_OUTPUT', '!destination out-interface > accept'),
	row('ambient-outbound-redirect', 'nat ISTIO_OUTPUT', '!destination protocol !mark > redirect'),
	row('ambient-mark-inbound-jump', 'mangle PREROUTING', '> ISTIO_PRERT'),
	row('ambient-mark-outbound-jump', 'mangle OUTPUT', '> ISTIO_OUTPUT'),
	row('ambient-connection-mark', 'mangle ISTIO_PRERT', 'mark > set-connmark'),
	row('ambient-mark-restore', 'mangle ISTIO_OUTPUT', 'connmark > restore-mark'),
	row('ambient-dns-answer-jump', 'raw PREROUTING', '> ISTIO_PRERT'),
	row('ambient-dns-query-jump', 'raw OUTPUT', '> ISTIO_OUTPUT'),
	row('ambient-dns-zone-query', 'raw ISTIO_OUTPUT', 'protocol mark destination-port > ct-zone'),
	row('ambient-dns-zone-answer', 'raw ISTIO_PRERT', 'protocol !mark source-port > ct-zone'),
	row('ambient-host-jump', 'nat POSTROUTING', '> ISTIO_POSTRT'),
	row('ambient-host-probe-snat', 'nat ISTIO_POSTRT', 'socket-exists protocol opaque > SNAT --to-source', {when: looksUpProbes}),
	// Native nft has no chain of the agent's for it, and asks for the kubelet's user instead of any socket.
	row('ambient-host-probe-snat', 'nat POSTROUTING', 'uid protocol opaque > snat', {when: looksUpProbes}),
];
