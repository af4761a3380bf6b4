/**
The purposes of Istio's rules: one table of roles, composed of a part for each area. Each record has everything known about a role.
*/

import {roleFinder, type FindRole, type RoleTable} from '../../mesh/roles.js';
import {ambientRoles} from './ambient.js';
import {iptablesChain, iptablesTable} from './backend-names.js';
import {dnsRoles} from './dns.js';
import {inboundRoles} from './inbound.js';
import {outboundRoles} from './outbound.js';
import {tproxyRoles} from './tproxy.js';

// DNS comes before outbound, because the patterns of its rules also fit those of excluded ports.
const table = {
	...inboundRoles, ...dnsRoles, ...outboundRoles, ...tproxyRoles, ...ambientRoles,
};

/** The purpose of a rule of Istio. */
export type Role = keyof typeof table;

/** Every role. */
export const roles: RoleTable<Role> = table;

/** The role of a rule of Istio; see {@link FindRole}. */
export const roleOf: FindRole<Role> = roleFinder(roles, {table: iptablesTable, chain: iptablesChain});

/** A role with its purpose, for people. */
export function describeRole(role: Role): string {
	const {purpose, shadow} = roles[role];
	return shadow === undefined ? `${role}: ${purpose}` : `${role}: ${purpose} Not reached by ordinary traffic without DNS capture: ${shadow.because}`;
}
