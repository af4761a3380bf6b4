/**
One way to every rule set of a sidecar, whatever the back end.
*/

import type {AddressFamily, Backend, RuleSet} from '../netfilter/types.js';
import {InputError} from './input-error.js';
import {sidecarRuleSet} from './iptables/sidecar.js';
import type {SidecarOptions} from './options.js';
import type {Release} from './releases.js';

/** A back end that the release has and this program does not write. */
export class MissingBackendError extends Error {
	override readonly name = 'MissingBackendError';
}

/**
The rule set that a release writes with a back end. Both iptables back ends get the same text.

@throws {InputError} for a release without that back end.
@throws {MissingBackendError} for native nftables rules, which are not written yet.
*/
export function generate({release, options, families, backend}: {
	readonly release: Release; readonly options: SidecarOptions; readonly families: readonly AddressFamily[]; readonly backend: Backend;
}): RuleSet {
	if (backend !== 'nftables') {
		return sidecarRuleSet(release, options, families);
	}

	if (!release.features.nativeNftables) {
		throw new InputError(`istio-iptables ${release.patch} writes no native nftables rules; releases since 1.27 do`, '--native-nftables');
	}

	if (options.writesNothing) {
		return {tables: []};
	}

	throw new MissingBackendError(`The native nftables rules of release ${release.name} are not written yet.`);
}
