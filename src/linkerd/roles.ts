/**
The purposes of Linkerd's rules: those of linkerd2-proxy-init and of linkerd-cni, which write the same ones (linkerd/linkerd2-proxy-init, `proxy-init/iptables/iptables.go`).
*/

import {
	roleFinder, type CanonicalNames, type FindRole, type RoleHistory, type RoleTable,
} from '../mesh/roles.js';

/** The chains that only Linkerd writes. */
export const chainsOfLinkerd = /^PROXY_INIT_(?:OUTPUT|REDIRECT)$/u;

/** Linkerd names its tables and chains as iptables does. */
export const names: CanonicalNames = {table: table => table, chain: (_table, chain) => chain};

const known: RoleHistory = {since: null, until: null, source: 'linkerd2-proxy-init, commit 183e791 (July 2026), as it wrote them'};

const table = {
	'inbound-jump': {
		purpose: 'Sends traffic that arrives in the pod to PROXY_INIT_REDIRECT.',
		...known,
		patterns: [{in: ['nat PREROUTING'], rule: '> PROXY_INIT_REDIRECT'}],
	},
	'inbound-port-exclude': {
		purpose: 'Exempts inbound ports: the proxy\'s own (4190, 4191), and those that the injector or an annotation names.',
		...known,
		patterns: [{in: ['nat PROXY_INIT_REDIRECT'], rule: 'protocol destination-port > return'}],
	},
	'subnet-exclude': {
		purpose: 'Exempts a subnet that --subnets-to-ignore names.',
		since: '≥ 1.5.0',
		until: null,
		source: 'linkerd2-proxy-init, pull request 53',
		patterns: [{in: ['nat PROXY_INIT_REDIRECT'], rule: 'source > return'}, {in: ['nat PROXY_INIT_OUTPUT'], rule: 'destination > return'}],
	},
	'inbound-redirect': {
		purpose: 'Redirects all other inbound TCP to the proxy\'s inbound listener.',
		...known,
		patterns: [{in: ['nat PROXY_INIT_REDIRECT'], rule: 'protocol > redirect', also: ['destination-port']}],
	},
	'outbound-jump': {
		purpose: 'Sends traffic of the pod\'s processes to PROXY_INIT_OUTPUT.',
		...known,
		patterns: [{in: ['nat OUTPUT'], rule: '> PROXY_INIT_OUTPUT'}],
	},
	'hairpin-by-uid': {
		purpose: 'Sends the proxy\'s own connections to the pod\'s own addresses through the inbound listener.',
		since: '≤ 1.3.13',
		until: '1.3',
		source: 'linkerd2-proxy-init, pull request 45; linkerd2, pull request 6790 (Linkerd 2.11)',
		patterns: [{in: ['nat PROXY_INIT_OUTPUT'], rule: 'uid out-interface !destination > PROXY_INIT_REDIRECT'}],
	},
	'proxy-uid-bypass': {
		purpose: 'Exempts the proxy\'s own traffic, by UID, so that it is not captured again.',
		...known,
		patterns: [{in: ['nat PROXY_INIT_OUTPUT'], rule: 'uid > return'}],
	},
	'loopback-bypass': {
		purpose: 'Exempts traffic of the pod\'s processes over lo.',
		...known,
		patterns: [{in: ['nat PROXY_INIT_OUTPUT'], rule: 'out-interface > return'}],
	},
	'outbound-port-exclude': {
		purpose: 'Exempts outbound ports that the injector or an annotation names.',
		...known,
		patterns: [{in: ['nat PROXY_INIT_OUTPUT'], rule: 'protocol destination-port > return'}],
	},
	'outbound-redirect': {
		purpose: 'Redirects all other outbound TCP to the proxy\'s outbound listener.',
		...known,
		patterns: [{in: ['nat PROXY_INIT_OUTPUT'], rule: 'protocol > redirect'}],
	},
} as const satisfies RoleTable;

/** The purpose of a rule of Linkerd. */
export type Role = keyof typeof table;

/** Every role. */
export const roles: RoleTable<Role> = table;

/** The role of a rule of Linkerd; see {@link FindRole}. */
export const roleOf: FindRole<Role> = roleFinder(roles, names);
