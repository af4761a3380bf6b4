/**
The roles of a sidecar's rules for DNS capture.
*/

import type {Rule} from '../../netfilter/types.js';
import {usesProtocol, type RoleTable} from '../../mesh/roles.js';
import {byOption, changed} from './history.js';

const isTcp = usesProtocol('tcp');
const isUdp = usesProtocol('udp');

/** An answer's source is the server. */
function asksForDestination({matches}: Rule): boolean {
	return matches.some(({kind}) => kind === 'destination');
}

/** Where UDP queries are handled until 1.24. */
const dnsPlaces = ['nat OUTPUT', 'nat ISTIO_OUTPUT'];

/** Where queries get their conntrack zone: until 1.22, until 1.24, since. */
const zonePlaces = ['raw OUTPUT', 'raw ISTIO_OUTPUT', 'raw ISTIO_OUTPUT_DNS'];

const translated = changed('1.7.0', 'istio/istio 1.7, DNS by DNAT and SNAT', '1.8');
const dnsChain = changed('1.25.0', 'istio/istio 1.25.0, DNS rules moved to chains of their own');
const dnsZone = changed('1.10.3', 'istio/istio 1.10.3, by ISTIO_META_DNS_CONNTRACK_ZONE; always since 1.11.0');

/** DNS roles of a sidecar. */
export const dnsRoles = {
	'dns-jump': {
		purpose: 'Sends remaining traffic to the DNS rules.',
		...dnsChain,
		patterns: [{in: ['nat ISTIO_OUTPUT'], rule: '> ISTIO_OUTPUT_DNS'}],
	},
	'dns-udp-jump': {
		purpose: 'Sends UDP to ISTIO_OUTPUT, which ends with the DNS rules in 1.23 and 1.24.',
		...changed('1.23.0', 'istio/istio 1.23.0, DNS rules moved to the end of ISTIO_OUTPUT', '1.24'),
		patterns: [{in: ['nat OUTPUT'], rule: 'protocol > ISTIO_OUTPUT', when: isUdp}],
	},
	'dns-query-bypass': {
		purpose: 'Lets DNS queries of the proxy, its agent or an excluded group go to the real servers, until 1.24.',
		...changed('1.6.0', 'istio/istio 1.6, DNS_CAPTURE', '1.24'),
		patterns: [
			{in: dnsPlaces, rule: 'protocol destination-port uid > return', when: isUdp},
			{in: dnsPlaces, rule: 'protocol destination-port gid > return', when: isUdp},
		],
	},
	'dns-group-include': {
		purpose: 'Lets DNS queries of all groups but the included ones go to the real servers, 1.14 to 1.24.',
		...byOption('1.14.0', 'ISTIO_OUTBOUND_OWNER_GROUPS with DNS capture'), until: '1.24',
		patterns: [
			{in: dnsPlaces, rule: 'protocol destination-port !gid > return', when: isUdp},
			{in: ['nat OUTPUT'], rule: 'protocol destination-port > return', when: isUdp},
			{in: ['nat ISTIO_OUTPUT'], rule: 'protocol destination-port > return', when: isUdp, behind: ['dns-query-bypass']},
		],
	},
	'dns-translate': {
		purpose: 'Sends DNS over UDP to the agent or to Envoy by changing its destination, in 1.7 and 1.8.',
		...translated,
		patterns: [{in: ['nat OUTPUT'], rule: 'protocol destination-port > DNAT --to-destination', when: isUdp}],
	},
	'dns-translate-source': {
		purpose: 'Gives translated DNS queries a loopback source, so that their answers return on the same path, in 1.7 and 1.8.',
		...translated,
		patterns: [{in: ['nat POSTROUTING'], rule: 'protocol destination-port > SNAT --to-source', when: isUdp}],
	},
	'dns-redirect-tcp': {
		purpose: 'Redirects DNS over TCP to the agent.',
		...changed('1.8.0', 'istio/istio 1.8, DNS over TCP to the agent'),
		patterns: [
			{in: ['nat ISTIO_REDIRECT'], rule: 'protocol destination-port > redirect', when: isTcp},
			{in: ['nat ISTIO_OUTPUT', 'nat ISTIO_OUTPUT_DNS'], rule: 'protocol destination-port > redirect', also: ['destination'], when: isTcp},
		],
	},
	'dns-redirect-udp': {
		purpose: 'Redirects DNS over UDP to the agent.',
		...changed('1.6.0', 'istio/istio 1.6, DNS_CAPTURE; in 1.7 and 1.8 dns-translate in its place'),
		patterns: [{in: ['nat OUTPUT', 'nat ISTIO_OUTPUT', 'nat ISTIO_OUTPUT_DNS'], rule: 'protocol destination-port > redirect', also: ['destination'], when: isUdp}],
	},
	'dns-zone-jump': {
		purpose: 'Sends outgoing packets to the rules that choose a conntrack zone for DNS.',
		...changed('1.23.0', 'istio/istio 1.23.0, DNS rules moved out of raw OUTPUT'),
		patterns: [
			{in: ['raw OUTPUT'], rule: '> ISTIO_OUTPUT_DNS'},
			{in: ['raw OUTPUT'], rule: 'protocol > ISTIO_OUTPUT', when: isUdp},
		],
	},
	'dns-zone-proxy-query': {
		purpose: 'Puts the proxy\'s own DNS queries into the zone of the real servers.',
		...dnsZone,
		patterns: [
			{in: zonePlaces, rule: 'protocol destination-port uid > ct-zone'},
			{in: zonePlaces, rule: 'protocol destination-port gid > ct-zone'},
		],
	},
	'dns-zone-agent-answer': {
		purpose: 'Puts the agent\'s DNS answers into the zone of the captured queries.',
		...dnsZone,
		patterns: [
			{in: zonePlaces, rule: 'protocol source-port uid > ct-zone'},
			{in: zonePlaces, rule: 'protocol source-port gid > ct-zone'},
		],
	},
	'dns-zone-query': {
		purpose: 'Puts captured DNS queries into a zone of their own.',
		...dnsZone,
		patterns: [{in: zonePlaces, rule: 'protocol destination-port > ct-zone', also: ['destination']}],
	},
	'dns-answer-jump': {
		purpose: 'Sends incoming packets to the rules that choose a conntrack zone for DNS answers.',
		...dnsChain,
		patterns: [{in: ['raw PREROUTING'], rule: '> ISTIO_INBOUND'}],
	},
	'dns-zone-answer': {
		purpose: 'Puts the answers of the real DNS servers into the zone of the proxy\'s queries.',
		...dnsZone,
		futile: {when: asksForDestination, because: 'an answer comes from the server and goes to the pod, but this rule matches the server as the destination. Releases until 1.19 wrote it this way.'},
		patterns: [{in: ['raw PREROUTING', 'raw ISTIO_INBOUND'], rule: 'protocol source-port > ct-zone', also: ['source', 'destination']}],
	},
} as const satisfies RoleTable;
