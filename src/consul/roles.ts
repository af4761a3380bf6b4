/**
The purposes of Consul's rules: those of `consul connect redirect-traffic` and of consul-k8s, which share one library (hashicorp/consul, `sdk/iptables`).
*/

import {
	roleFinder, type CanonicalNames, type FindRole, type RoleHistory, type RoleTable,
} from '../mesh/roles.js';
import {isLoopback} from '../netfilter/address.js';
import type {AddressFamily, Rule} from '../netfilter/types.js';

/** The chains that only Consul writes. */
export const chainsOfConsul = /^CONSUL_(?:PROXY_(?:INBOUND|IN_REDIRECT|OUTPUT|REDIRECT)|DNS_REDIRECT)$/u;

/** The table of Consul's native nft rules, and its base chains by the iptables chains that they stand for (hashicorp/consul, `sdk/nftables`). */
const nativeTable = 'consul_tproxy';
const nativeChains: Readonly<Record<string, string>> = {CONSUL_NAT_OUTPUT: 'OUTPUT', CONSUL_NAT_PREROUTING: 'PREROUTING'};

/** The canonical names are those of iptables. */
export const names: CanonicalNames = {
	table: table => table === nativeTable ? 'nat' : table,
	chain: (table, chain) => (table === nativeTable ? nativeChains[chain] : undefined) ?? chain,
};

/** The user of consul-k8s' init containers, whose traffic is exempt in addition to the proxy's (consul-k8s, connect-inject constants). */
export const initUid = 5996;

const known: RoleHistory = {since: '1.10', until: null, source: 'hashicorp/consul, pull request 9910, and sdk/iptables 0.18.2 as it wrote them'};
const dns: RoleHistory = {since: '1.11', until: null, source: 'hashicorp/consul, pull requests 11480 and 15050, -consul-dns-ip and -consul-dns-port'};

function goesToLoopback({matches}: Rule): boolean {
	return matches.some(match => match.kind === 'destination' && isLoopback(match.address));
}

/** The family that a rule without any other condition is about. */
export function familyLeftAlone({matches}: Rule): AddressFamily | undefined {
	const [match, another] = matches;
	const family = match?.kind === 'opaque' && another === undefined ? /^meta nfproto (ipv[46])$/u.exec(match.text)?.[1] : undefined;
	return family as AddressFamily | undefined;
}

function isOfInit({matches}: Rule): boolean {
	return matches.some(match => match.kind === 'uid' && match.from === initUid && match.to === initUid);
}

const table = {
	'inbound-jump': {
		purpose: 'Sends TCP that arrives in the pod to CONSUL_PROXY_INBOUND.',
		...known,
		patterns: [{in: ['nat PREROUTING'], rule: 'protocol > CONSUL_PROXY_INBOUND'}],
	},
	'inbound-port-exclude': {
		purpose: 'Exempts an inbound port that -exclude-inbound-port or an annotation names.',
		...known,
		patterns: [{in: ['nat CONSUL_PROXY_INBOUND'], rule: 'protocol destination-port > return'}],
	},
	'inbound-capture': {
		purpose: 'Sends all other inbound TCP to the redirect.',
		...known,
		patterns: [{in: ['nat CONSUL_PROXY_INBOUND'], rule: 'protocol > CONSUL_PROXY_IN_REDIRECT'}],
	},
	'inbound-redirect': {
		purpose: 'Redirects captured TCP to the proxy\'s public listener.',
		...known,
		patterns: [{in: ['nat CONSUL_PROXY_IN_REDIRECT'], rule: 'protocol > redirect'}],
	},
	'outbound-jump': {
		purpose: 'Sends TCP of the pod\'s processes to CONSUL_PROXY_OUTPUT.',
		...known,
		patterns: [{in: ['nat OUTPUT'], rule: 'protocol > CONSUL_PROXY_OUTPUT'}],
	},
	'family-exclude': {
		purpose: 'Leaves IPv6 alone in a pod that has only IPv4: native nft rules are for both families.',
		since: null,
		until: null,
		source: 'hashicorp/consul, sdk/nftables',
		patterns: [{in: ['nat PREROUTING', 'nat OUTPUT'], rule: 'opaque > return', when: rule => familyLeftAlone(rule) !== undefined}],
	},
	'dns-jump': {
		purpose: 'Sends DNS queries to CONSUL_DNS_REDIRECT.',
		...dns,
		patterns: [{in: ['nat OUTPUT'], rule: 'protocol destination-port > CONSUL_DNS_REDIRECT', also: ['destination']}],
	},
	'dns-redirect': {
		purpose: 'Redirects DNS queries to Consul\'s own server.',
		...dns,
		patterns: ['DNAT --to-destination', 'dnat'].map(target => ({in: ['nat CONSUL_DNS_REDIRECT'], rule: `protocol destination-port > ${target}`, also: ['destination']})),
	},
	'uid-exclude': {
		purpose: 'Exempts traffic of a user that -exclude-uid names: that of the init containers, 5996.',
		...known,
		patterns: [{in: ['nat CONSUL_PROXY_OUTPUT'], rule: 'uid > return', when: isOfInit}],
	},
	'proxy-uid-bypass': {
		purpose: 'Exempts the proxy\'s own traffic, by UID, over lo as elsewhere, so that it is not captured again.',
		...known,
		patterns: [{in: ['nat CONSUL_PROXY_OUTPUT'], rule: 'uid > return'}],
	},
	'localhost-bypass': {
		purpose: 'Exempts traffic to localhost. Nothing else on lo is exempt: the pod\'s own address is captured.',
		...known,
		patterns: [{in: ['nat CONSUL_PROXY_OUTPUT'], rule: 'destination > return', when: goesToLoopback}],
	},
	'range-exclude': {
		purpose: 'Exempts an outbound range that -exclude-outbound-cidr or an annotation names.',
		...known,
		patterns: [{in: ['nat CONSUL_PROXY_OUTPUT'], rule: 'destination > return'}],
	},
	'outbound-port-exclude': {
		purpose: 'Exempts an outbound port that -exclude-outbound-port or an annotation names.',
		...known,
		patterns: [{in: ['nat CONSUL_PROXY_OUTPUT'], rule: 'protocol destination-port > return'}],
	},
	'outbound-capture': {
		purpose: 'Sends everything else to the redirect.',
		...known,
		patterns: [{in: ['nat CONSUL_PROXY_OUTPUT'], rule: '> CONSUL_PROXY_REDIRECT'}],
	},
	'outbound-redirect': {
		purpose: 'Redirects captured TCP to the proxy\'s outbound listener.',
		...known,
		patterns: [{in: ['nat CONSUL_PROXY_REDIRECT'], rule: 'protocol > redirect'}],
	},
} as const satisfies RoleTable;

/** The purpose of a rule of Consul. */
export type Role = keyof typeof table;

/** Every role. */
export const roles: RoleTable<Role> = table;

const find: FindRole<Role> = roleFinder(roles, names);

/** The role of a rule of Consul; see {@link FindRole}. Rules for excluded users are inserted first, so of several the last is the proxy's. */
export const roleOf: FindRole<Role> = (rule, tableName, chain) => {
	const role = find(rule, tableName, chain);
	return role === 'proxy-uid-bypass' && chain?.rules.some(other => other.number > rule.number && find(other, tableName, chain) === role) === true ? 'uid-exclude' : role;
};
