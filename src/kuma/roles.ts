/**
The purposes of Kuma's rules: those of `kumactl install transparent-proxy`, of its init container and of its CNI plugin (kumahq/kuma, `pkg/transparentproxy/iptables`).
*/

import {
	roleFinder, usesProtocol, type CanonicalNames, type FindRole, type RoleHistory, type RoleTable,
} from '../mesh/roles.js';
import {isLoopback} from '../netfilter/address.js';
import type {Rule} from '../netfilter/types.js';

/** The chains that only Kuma writes. Older releases leave the prefix out. */
export const chainsOfKuma = /^(?:KUMA_)?MESH_(?:INBOUND|OUTBOUND)(?:_REDIRECT)?$/u;

/** Kuma's tables have iptables' names; its chains are known by their newer names. */
export const names: CanonicalNames = {table: table => table, chain: (_table, chain) => chainsOfKuma.test(chain) ? `KUMA_${chain.replace(/^KUMA_/u, '')}` : chain};

const known: RoleHistory = {since: null, until: null, source: 'kumahq/kuma, commit 348b652 (August 2026), golden rules of the defaults'};

const dns: RoleHistory = {since: null, until: null, source: 'kumahq/kuma, --redirect-dns: golden rules of kumactl install transparent-proxy'};
const isUdp = usesProtocol('udp');

function goesToLoopback({matches}: Rule): boolean {
	return matches.some(match => match.kind === 'destination' && isLoopback(match.address));
}

const table = {
	'inbound-jump': {
		purpose: 'Sends TCP that arrives in the pod to KUMA_MESH_INBOUND.',
		...known,
		patterns: [{in: ['nat PREROUTING'], rule: 'protocol > KUMA_MESH_INBOUND'}],
	},
	'inbound-port-exclude': {
		purpose: 'Exempts an inbound port that traffic.kuma.io/exclude-inbound-ports names.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_INBOUND'], rule: 'protocol destination-port > return'}],
	},
	'inbound-capture': {
		purpose: 'Sends all other inbound TCP to the redirect.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_INBOUND'], rule: 'protocol > KUMA_MESH_INBOUND_REDIRECT', also: ['destination-port']}],
	},
	'inbound-redirect': {
		purpose: 'Redirects captured TCP to the proxy\'s inbound listener.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_INBOUND_REDIRECT'], rule: 'protocol > redirect'}],
	},
	'outbound-jump': {
		purpose: 'Sends TCP of the pod\'s processes to KUMA_MESH_OUTBOUND.',
		...known,
		patterns: [{in: ['nat OUTPUT'], rule: 'protocol > KUMA_MESH_OUTBOUND'}],
	},
	'dns-query-bypass': {
		purpose: 'Lets DNS queries of the proxy\'s own resolver go to the real servers.',
		...dns,
		patterns: [{in: ['nat OUTPUT'], rule: 'protocol destination-port uid > return', when: isUdp}],
	},
	'dns-redirect': {
		purpose: 'Redirects DNS queries to the proxy\'s own resolver.',
		...dns,
		patterns: [{in: ['nat OUTPUT', 'nat KUMA_MESH_OUTBOUND'], rule: 'protocol destination-port > redirect', also: ['destination', 'uid', '!uid']}],
	},
	'dns-zone-answer': {
		purpose: 'Puts the answers of the real DNS servers into the zone of the proxy\'s queries.',
		...dns,
		patterns: [{in: ['raw PREROUTING'], rule: 'protocol source-port > ct-zone', also: ['source']}],
	},
	'dns-zone-proxy-query': {
		purpose: 'Puts the proxy\'s own DNS queries into the zone of the real servers.',
		...dns,
		patterns: [{in: ['raw OUTPUT'], rule: 'protocol destination-port uid > ct-zone'}],
	},
	'dns-zone-proxy-answer': {
		purpose: 'Puts the DNS answers of the proxy\'s own resolver into the zone of the captured queries.',
		...dns,
		patterns: [{in: ['raw OUTPUT'], rule: 'protocol source-port uid > ct-zone'}],
	},
	'dns-zone-query': {
		purpose: 'Puts captured DNS queries into a zone of their own.',
		...dns,
		patterns: [{in: ['raw OUTPUT'], rule: 'protocol destination-port > ct-zone', also: ['destination']}],
	},
	'passthrough-source': {
		purpose: 'Lets the proxy\'s inbound connections, which have 127.0.0.6 (::6) as their source, reach the app over lo.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_OUTBOUND'], rule: 'source out-interface > return'}],
	},
	'outbound-port-exclude': {
		purpose: 'Exempts an outbound port that traffic.kuma.io/exclude-outbound-ports names.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_OUTBOUND'], rule: 'protocol destination-port > return', also: ['uid']}],
	},
	'hairpin-by-uid': {
		purpose: 'Sends the proxy\'s own connections to the pod\'s own addresses through the inbound listener, by UID.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_OUTBOUND'], rule: '!destination out-interface uid > KUMA_MESH_INBOUND_REDIRECT', also: ['protocol', '!destination-port']}],
	},
	'loopback-not-proxy-uid': {
		purpose: 'Exempts traffic over lo of processes with another UID than the proxy\'s.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_OUTBOUND'], rule: 'out-interface !uid > return', also: ['protocol', '!destination-port']}],
	},
	'proxy-uid-bypass': {
		purpose: 'Exempts the proxy\'s own traffic, by UID, so that it is not captured again.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_OUTBOUND'], rule: 'uid > return'}],
	},
	'localhost-bypass': {
		purpose: 'Exempts traffic to localhost.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_OUTBOUND'], rule: 'destination > return', when: goesToLoopback}],
	},
	'range-exclude': {
		purpose: 'Exempts an outbound range.',
		since: null,
		until: null,
		source: 'kumahq/kuma, --exclude-outbound-ips',
		patterns: [{in: ['nat KUMA_MESH_OUTBOUND'], rule: 'destination > return', also: ['protocol']}],
	},
	'outbound-capture': {
		purpose: 'Sends everything else to the redirect.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_OUTBOUND'], rule: '> KUMA_MESH_OUTBOUND_REDIRECT', also: ['protocol', 'destination-port']}],
	},
	'outbound-redirect': {
		purpose: 'Redirects captured TCP to the proxy\'s outbound listener.',
		...known,
		patterns: [{in: ['nat KUMA_MESH_OUTBOUND_REDIRECT'], rule: 'protocol > redirect'}],
	},
} as const satisfies RoleTable;

/** The purpose of a rule of Kuma. */
export type Role = keyof typeof table;

/** Every role. */
export const roles: RoleTable<Role> = table;

/** The role of a rule of Kuma; see {@link FindRole}. */
export const roleOf: FindRole<Role> = roleFinder(roles, names);
