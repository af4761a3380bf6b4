/**
What Consul's rules are meant to do, derived from a dump.
*/

import type {Intent} from '../mesh/intent.js';
import {intentByRoles, rulesOfRole} from '../mesh/read-rules.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';
import {familyLeftAlone, roleOf} from './roles.js';

/** The defaults of consul-k8s (connect-inject: the sidecar's user 5995, public listener 20000; hashicorp/consul, `sdk/iptables`: DefaultTProxyOutboundPort). */
export const defaults = {proxyUid: 5995, inboundPort: 20_000, outboundPort: 15_001} as const;

/** The port of the merged metrics, which consul-k8s exempts if metrics are enabled (`prometheus.io/port`, default 20200). */
export const metricsPort = 20_200;

/** The families that native rules leave alone. A rule in one direction shows what is meant as well as both. */
export function familiesLeftAlone(ruleSet: RuleSet): readonly AddressFamily[] {
	return [...new Set(rulesOfRole(ruleSet, roleOf, 'family-exclude').flatMap(rule => familyLeftAlone(rule) ?? []))];
}

/** The intent of a user's rules. Missing parts default to consul-k8s' values, so that a test shows that they are missing. */
export function intentOf(ruleSet: RuleSet): Intent {
	const leftAlone = familiesLeftAlone(ruleSet);
	return {...intentByRoles(ruleSet, {roleOf, defaults, dns: {captured: 'dns-redirect'}}), ...(leftAlone.length === 0 ? {} : {leftAlone})};
}
