/**
One way to every rule set of a sidecar, whatever the back end.
*/

import type {AddressFamily, Backend, RuleSet} from '../netfilter/types.js';
import {sidecarNftRuleSet} from './nftables/sidecar.js';
import {sidecarRuleSet} from './iptables/sidecar.js';
import type {SidecarOptions} from './options/options.js';
import type {Release} from './releases.js';

/**
The rule set that a release writes with a back end. Both iptables back ends get the same text.

@throws {InputError} for a release without that back end.
*/
export function generate({release, options, families, backend}: {
	readonly release: Release; readonly options: SidecarOptions; readonly families: readonly AddressFamily[]; readonly backend: Backend;
}): RuleSet {
	if (options.writesNothing) {
		return {tables: []};
	}

	return (backend === 'nftables' ? sidecarNftRuleSet : sidecarRuleSet)(release, options, families);
}
