/**
The rules that istio-iptables writes for a sidecar. A1 to A11 are the parts in which the program (`tools/istio-iptables/pkg/capture`) works; the numbers in the comments count its steps.
*/

import type {AddressFamily, RuleSet} from '../../netfilter/types.js';
import {contextOf} from '../context.js';
import {InputError} from '../input-error.js';
import type {SidecarOptions} from '../options.js';
import type {Release} from '../releases.js';
import {dnsSteps} from './dns.js';
import {
	baseChains, excludedInterfaces, invalidPackets, inbound, virtualInterfaces,
} from './inbound.js';
import {outboundSteps, outboundTail} from './outbound.js';
import {buildTables, type Step} from './rule-list.js';
import {tproxyTail} from './tproxy.js';

/** All steps in the order of the program. */
const steps: readonly Step[] = [
	excludedInterfaces,
	virtualInterfaces,
	invalidPackets,
	baseChains,
	inbound,
	...outboundSteps,
	...dnsSteps,
	...outboundTail,
	tproxyTail,
];

/** The rule set that a release writes in the given families. IPv6 rules are written only when the pod has IPv6: see `familiesWritten`. */
export function sidecarRuleSet(release: Release, options: SidecarOptions, families: readonly AddressFamily[]): RuleSet {
	if (!release.features.dnsChain && options.redirectDns) {
		throw new InputError(`the DNS rules of release ${release.name} are not implemented yet`, '--redirect-dns');
	}

	return {
		tables: [...new Set(families)].flatMap(family => {
			const context = contextOf({release, options, family});
			return buildTables(steps.flatMap(step => step(context)), family);
		}),
	};
}
