/**
One way to every rule set of a sidecar, whatever the back end.
*/

import {languageOf} from '../netfilter/backends.js';
import type {
	AddressFamily, Backend, RuleLanguage, RuleSet,
} from '../netfilter/types.js';
import {sidecarNftRuleSet} from './nftables/sidecar.js';
import {refusalOf} from './nftables/refusal.js';
import {sidecarRuleSet} from './iptables/sidecar.js';
import type {SidecarOptions} from './options/options.js';
import type {Release} from './releases.js';

/** What istio-iptables has for rules of one language. */
type Writer = {
	/** @throws {InputError} for a release that does not write the language. */
	readonly write: (release: Release, options: SidecarOptions, families: readonly AddressFamily[]) => RuleSet;
	readonly isWrittenBy: (release: Pick<Release, 'features'>) => boolean;
	/** Why the language's tool would not take a set that is written, as one sentence; undefined when it takes it. */
	readonly refusal: (ruleSet: RuleSet) => string | undefined;
};

const writers: Readonly<Record<RuleLanguage, Writer>> = {
	iptables: {write: sidecarRuleSet, isWrittenBy: () => true, refusal: () => undefined},
	nft: {write: sidecarNftRuleSet, isWrittenBy: ({features}) => features.nativeNftables, refusal: refusalOf},
};

/**
The rule set that a release writes with a back end. Back ends of one language get the same rules.

@throws {InputError} for a release without that back end.
*/
export function generate({release, options, families, backend}: {
	readonly release: Release; readonly options: SidecarOptions; readonly families: readonly AddressFamily[]; readonly backend: Backend;
}): RuleSet {
	return options.writesNothing ? {tables: []} : writers[languageOf(backend)].write(release, options, families);
}

/** Whether a release writes rules for a back end. */
export function canGenerate(release: Pick<Release, 'features'>, backend: Backend): boolean {
	return writers[languageOf(backend)].isWrittenBy(release);
}

/** Why the tool of a back end would not take what {@link generate} wrote, as one sentence; undefined when it takes it. */
export function generatedRefusal(ruleSet: RuleSet, backend: Backend): string | undefined {
	return writers[languageOf(backend)].refusal(ruleSet);
}
