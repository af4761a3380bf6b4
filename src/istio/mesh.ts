/**
Istio as a mesh: sidecars and ambient mode.
*/

import {rulesOf} from '../netfilter/lookup.js';
import type {Mesh} from '../mesh/mesh.js';
import {intentOfRuleSet, unsupportedOptions} from './intent.js';
import {articleClaims} from './published.js';
import {iptablesChain, iptablesTable} from './roles/backend-names.js';
import {roleOf, roles, type Role} from './roles/roles.js';
import {shadowOf} from './roles/shadow.js';

const entryRoles: readonly Role[] = ['inbound-jump', 'outbound-jump'];

/** Istio, by all that the other rooms need. */
export const istio: Mesh = {
	name: 'istio',
	inputs: ['release', 'pod', 'ambient', 'ambient-host'],
	recognizes: ruleSet => [...rulesOf(ruleSet)].some(({rule, table, chain}) => roleOf(rule, table, chain) !== undefined),
	roles,
	roleOf,
	shadowOf,
	names: {table: iptablesTable, chain: iptablesChain},
	entryRoles: new Set(entryRoles),
	intentOf: intentOfRuleSet,
	isBeyondIntent: role => /^(?:ambient|group|interface|virtual|range|outbound-port|inbound-port-include)/u.test(role),
	unsupported: options => unsupportedOptions({options}),
	published: articleClaims,
};
