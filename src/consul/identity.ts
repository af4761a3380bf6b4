/**
Identifies Consul's rules in one line.
*/

import {familyNames} from '../netfilter/address.js';
import type {MeshIdentity} from '../mesh/identity.js';
import {hasChain} from '../mesh/mesh.js';
import {rulesOfRole} from '../mesh/read-rules.js';
import type {RuleSet} from '../netfilter/types.js';
import {familiesLeftAlone} from './intent.js';
import {roleOf, type Role} from './roles.js';

/** Without these, nothing is captured. */
const needed = {
	'inbound-jump': 'no jump from PREROUTING', 'outbound-jump': 'no jump from OUTPUT', 'inbound-redirect': 'no redirect of inbound traffic', 'outbound-redirect': 'no redirect of outbound traffic',
} as const satisfies Partial<Record<Role, string>>;

/** The releases as far as the rules show them, and what a failed init left out. */
export function identify(ruleSet: RuleSet): MeshIdentity {
	const knowsDns = hasChain(ruleSet, /^CONSUL_DNS_REDIRECT$/u);
	return {
		kind: 'consul-sidecar',
		title: 'Consul sidecar',
		releases: knowsDns ? {from: '1.11', to: null} : {from: '1.10', to: '1.10'},
		marks: [knowsDns ? 'a chain for DNS' : 'no chain for DNS', ...familiesLeftAlone(ruleSet).map(family => `${familyNames[family]} is left alone`)],
		missing: Object.entries(needed).flatMap(([role, words]) => rulesOfRole(ruleSet, roleOf, role).length === 0 ? [words] : []),
		assumed: [],
	};
}
