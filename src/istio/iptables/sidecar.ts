/**
The rules that istio-iptables writes for a sidecar, in the order of `IptablesConfigurator.Run` (istio/istio, `tools/istio-iptables/pkg/capture/run.go`). The comments of the files next to this one name its functions; in older releases they are in `run_linux.go` there, or in `tools/istio-iptables/pkg/cmd/run.go`.
*/

import type {AddressFamily, RuleSet} from '../../netfilter/types.js';
import {contextOf, type Context, type ReleaseRules} from '../context.js';
import type {SidecarOptions} from '../options/options.js';
import {dnsSteps} from './dns.js';
import {
	baseChains, excludedInterfaces, invalidPackets, inbound, virtualInterfaces,
} from './inbound.js';
import {outboundSteps, outboundTail} from './outbound.js';
import {buildTables, type Step} from './rule-list.js';
import {tproxyTail} from './tproxy.js';

/** All steps in the order of the program. */
function stepsOf(context: Context): readonly Step[] {
	const dns = dnsSteps(context);
	return [
		excludedInterfaces,
		virtualInterfaces,
		invalidPackets,
		...dns.before,
		baseChains,
		inbound,
		...outboundSteps,
		...dns.between,
		...outboundTail,
		...dns.behind,
		tproxyTail,
	];
}

/** The rule set that a release writes in the given families; empty if the options tell the program to write nothing. IPv6 rules are written only if the pod has IPv6: see `familiesWritten`. */
export function sidecarRuleSet(release: ReleaseRules, options: SidecarOptions, families: readonly AddressFamily[]): RuleSet {
	if (options.writesNothing) {
		return {tables: []};
	}

	return {
		tables: [...new Set(families)].flatMap(family => {
			const context = contextOf({release, options, family});
			return buildTables(stepsOf(context).flatMap(step => step(context)), family);
		}),
	};
}
