/**
Identifies Linkerd's rules in one line.
*/

import type {MeshIdentity} from '../mesh/identity.js';
import {rulesOfRole} from '../mesh/read-rules.js';
import type {RuleSet} from '../netfilter/types.js';
import {roleOf, type Role} from './roles.js';

/** Without these, nothing is captured. */
const needed = {
	'inbound-jump': 'no jump from PREROUTING', 'outbound-jump': 'no jump from OUTPUT', 'inbound-redirect': 'no redirect of inbound traffic', 'outbound-redirect': 'no redirect of outbound traffic',
} as const satisfies Partial<Record<Role, string>>;

/** The releases as far as the rules show them, and what a failed init left out. */
export function identify(ruleSet: RuleSet): MeshIdentity {
	const isOld = rulesOfRole(ruleSet, roleOf, 'hairpin-by-uid' satisfies Role).length > 0;
	return {
		kind: 'linkerd-sidecar',
		title: 'Linkerd sidecar',
		releases: isOld ? {from: null, to: '2.10'} : {from: '2.11', to: null},
		marks: [isOld ? 'a rule for the proxy\'s own connections to the pod' : 'no rule for the proxy\'s own connections to the pod'],
		missing: Object.entries(needed).flatMap(([role, words]) => rulesOfRole(ruleSet, roleOf, role).length === 0 ? [words] : []),
		assumed: [],
	};
}
