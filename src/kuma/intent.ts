/**
What Kuma's rules are meant to do, derived from a dump.
*/

import type {Intent} from '../mesh/intent.js';
import {intentByRoles} from '../mesh/read-rules.js';
import type {RuleSet} from '../netfilter/types.js';
import {roleOf} from './roles.js';

/** The injector's defaults (kumahq/kuma, `pkg/config/plugins/runtime/k8s`: sidecar container's UID 5678, redirect ports). */
export const defaults = {proxyUid: 5678, inboundPort: 15_006, outboundPort: 15_001} as const;

/** The port on which the proxy serves its metrics (Kuma, Mesh resource, metrics backend `prometheus`: default port). No rule exempts it. */
export const metricsPort = 5670;

/** The intent of a user's rules. Missing parts default to the injector's values, so that a test shows that they are missing. */
export function intentOf(ruleSet: RuleSet): Intent {
	return intentByRoles(ruleSet, {roleOf, defaults, dns: {captured: 'dns-redirect', zone: 'dns-zone-query'}});
}
