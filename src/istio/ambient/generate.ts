/**
Generates the rule sets of ambient mode for every back end.
*/

import {languageOf} from '../../netfilter/backends.js';
import type {
	AddressFamily, Backend, RuleLanguage, RuleSet,
} from '../../netfilter/types.js';
import {ambientHostRuleSet, ambientRuleSet} from '../iptables/ambient.js';
import {ambientHostNftRuleSet, ambientNftRuleSet} from '../nftables/ambient.js';
import type {AmbientOptions} from './options.js';

/** Where the CNI agent writes rules: in the pod, or on the node. */
export type AmbientScope = 'pod' | 'host';

const writers: Readonly<Record<RuleLanguage, Readonly<Record<AmbientScope, (options: AmbientOptions, families: readonly AddressFamily[]) => RuleSet>>>> = {
	iptables: {pod: ambientRuleSet, host: ambientHostRuleSet},
	nft: {pod: ambientNftRuleSet, host: ambientHostNftRuleSet},
};

/** The rule set that the CNI agent writes with a back end. */
export function generateAmbient({options, families, backend, scope = 'pod'}: {
	readonly options: AmbientOptions; readonly families: readonly AddressFamily[]; readonly backend: Backend; readonly scope?: AmbientScope;
}): RuleSet {
	return writers[languageOf(backend)][scope](options, families);
}
