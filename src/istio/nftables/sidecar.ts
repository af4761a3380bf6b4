/**
The rules that Istio's native back end writes for a sidecar in the order of `NftablesConfigurator.Run` (istio/istio, `tools/istio-nftables/pkg/capture/run.go`): the same functions as in the iptables back end, with one rule for both families unless it has an address. The comments of the files next to this one name them.
*/

import type {AddressFamily, RuleSet} from '../../netfilter/types.js';
import {contextOf} from '../context.js';
import {InputError} from '../../parsing/input-error.js';
import type {SidecarOptions} from '../options/options.js';
import type {Release} from '../releases.js';
import {dnsSteps} from './dns.js';
import {
	baseChains, excludedInterfaces, invalidPackets, inbound, virtualInterfaces,
} from './inbound.js';
import {outboundSteps, outboundTail} from './outbound.js';
import {buildTables, type NativeContext, type Step} from './rule-list.js';
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

/**
The native rule set that a release writes. Rules for IPv6 addresses are written only if `families` has IPv6: see `familiesWritten`. `refusalOf` says whether nft would accept the set.
Throws `InputError` for a release without a native back end.
*/
export function sidecarNftRuleSet(release: Release, options: SidecarOptions, families: readonly AddressFamily[]): RuleSet {
	if (!release.features.nativeNftables) {
		throw new InputError(`istio-iptables ${release.patch} writes no native nftables rules`, '--native-nftables');
	}

	const shared = contextOf({release, options, family: 'ipv4'});
	const context: NativeContext = {
		shared,
		perFamily: [shared, ...(families.includes('ipv6') ? [contextOf({release, options, family: 'ipv6'})] : [])],
	};
	return {tables: buildTables(steps.flatMap(step => step(context)), {counters: release.features.nftCounters})};
}
