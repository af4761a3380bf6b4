/**
What the rules of Istio are for: one table of roles. Its parts are by area; each record has all that is known of a role.
*/

import {roleFinder, type FindRole, type RoleTable} from '../../mesh/roles.js';
import {ambientRoles} from './ambient.js';
import {iptablesChain, iptablesTable} from './backend-names.js';
import {dnsRoles} from './dns.js';
import {inboundRoles} from './inbound.js';
import {outboundRoles} from './outbound.js';
import {tproxyRoles} from './tproxy.js';

// DNS comes before outbound: its rules have patterns that those of excluded ports fit too.
const table = {
	...inboundRoles, ...dnsRoles, ...outboundRoles, ...tproxyRoles, ...ambientRoles,
};

/** What a rule of Istio is for. */
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
