/**
Istio as a mesh: sidecars and ambient mode.
*/

import {rulesOf} from '../netfilter/lookup.js';
import type {Mesh} from '../mesh/mesh.js';
import {intentOfRuleSet, unsupportedOptions} from './intent.js';
import {articleClaims} from './published.js';
import {identifyIstio} from './identity/identify.js';
import {referenceOf, routingOf} from './reference.js';
import {iptablesChain, iptablesTable} from './roles/backend-names.js';
import {dnsRoles} from './roles/dns.js';
import {roleOf, roles, type Role} from './roles/roles.js';
import {shadowOf} from './roles/shadow.js';
import {istioTraffic} from './traffic/six-types.js';

const entryRoles: readonly Role[] = ['inbound-jump', 'outbound-jump'];

/** Rules for DNS in built-in chains are no mark of Istio: Kuma has the same. */
function isTelling(role: Role | undefined): boolean {
	return role !== undefined && !(role in dnsRoles);
}

/** Istio, with everything that the other rooms need. */
export const istio: Mesh = {
	name: 'istio',
	inputs: ['release', 'pod', 'ambient', 'ambient-host'],
	recognizes: ruleSet => [...rulesOf(ruleSet)].some(({rule, table, chain}) => isTelling(roleOf(rule, table, chain))),
	identify: identifyIstio,
	roles,
	roleOf,
	shadowOf,
	names: {table: iptablesTable, chain: iptablesChain},
	entryRoles: new Set(entryRoles),
	intentOf: intentOfRuleSet,
	reference: referenceOf,
	routing: routingOf,
	notes: () => [],
	isBeyondIntent: role => /^(?:ambient|group|interface|virtual|range|outbound-port|inbound-port-include)/u.test(role),
	unsupported: options => unsupportedOptions({options}),
	traffic: istioTraffic,
	published: articleClaims,
};
