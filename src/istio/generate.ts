/**
Generates the rule sets of a sidecar for every back end.
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

/** What istio-iptables provides for rules of one language. */
type Writer = {
	/** @throws {InputError} for a release that does not write the language. */
	readonly write: (release: Release, options: SidecarOptions, families: readonly AddressFamily[]) => RuleSet;
	readonly isWrittenBy: (release: Pick<Release, 'features'>) => boolean;
	/** Why the language's tool would reject a generated set, as one sentence; undefined if it accepts it. */
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

/** Why the real program ends with an error before any rule is installed, as one sentence; undefined if it does not. The rules are then those that it tried to write. */
export function programFailure({release: {features, patch}, options, backend}: {readonly release: Release; readonly options: SidecarOptions; readonly backend: Backend}): string | undefined {
	const {inboundInterceptionMode, inboundPortsInclude, writesNothing} = options;
	return languageOf(backend) === 'nft' && features.nftTproxyNeedsPorts && inboundInterceptionMode === 'TPROXY' && inboundPortsInclude.length === 0 && !writesNothing
		? `The real istio-iptables ${patch} fails with these options: with TPROXY and no inbound port it inserts native nft rules into an empty chain, and nft rejects them ("No such file or directory", istio/istio issue 58135), so the pod does not start; 1.27.4 and 1.28.1 fixed it.`
		: undefined;
}

/** Why the tool of a back end would reject the result of {@link generate}, as one sentence; undefined if it accepts it. */
export function generatedRefusal(ruleSet: RuleSet, backend: Backend): string | undefined {
	return writers[languageOf(backend)].refusal(ruleSet);
}
