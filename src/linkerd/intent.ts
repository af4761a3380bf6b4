/**
What Linkerd's rules are meant to do, derived from a dump.
*/

import type {Intent} from '../mesh/intent.js';
import {intentByRoles, rulesOfRole} from '../mesh/read-rules.js';
import type {RuleSet} from '../netfilter/types.js';
import {roleOf} from './roles.js';

/** The injector's defaults (linkerd/linkerd2, charts/linkerd-control-plane/values.yaml: proxy.uid, proxy.ports). */
export const defaults = {proxyUid: 2102, inboundPort: 4143, outboundPort: 4140} as const;

/** The ports on which the proxy answers itself: 4190 for control (tap), 4191 for its metrics (the same file). The injector always exempts them. */
export const ownPorts = {control: 4190, admin: 4191} as const;

/** The intent of a user's rules. Missing parts default to the injector's values, so that a test shows that they are missing. */
export function intentOf(ruleSet: RuleSet): Intent {
	const intent = intentByRoles(ruleSet, {roleOf, defaults});
	return {
		...intent,
		inboundPortsExclude: [...new Set([...Object.values(ownPorts).map(String), ...intent.inboundPortsExclude])],
		...(rulesOfRole(ruleSet, roleOf, 'hairpin-by-uid').length > 0 ? {hairpin: true} : {}),
	};
}
