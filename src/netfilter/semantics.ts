/**
How the kernel carries out rules, where the languages differ.
*/

import type {RuleLanguage} from './types.js';

/** What is so in one language and not in the other. */
export type Semantics = {
	/** Whether a statement that acts can leave the rule without having acted, as a failed condition does (NFT_BREAK). */
	readonly canActionFail: boolean;
	/** Whether a negated condition on the socket's owner holds for a packet without a socket (`owner_mt` in net/netfilter/xt_owner.c; `nft_meta_get_eval_skugid`). */
	readonly negatedOwnerHoldsWithoutSocket: boolean;
	/** Whether every rule has a counter. */
	readonly isEveryRuleCounted: boolean;
};

const semantics: Readonly<Record<RuleLanguage, Semantics>> = {
	iptables: {canActionFail: false, negatedOwnerHoldsWithoutSocket: true, isEveryRuleCounted: true},
	nft: {canActionFail: true, negatedOwnerHoldsWithoutSocket: false, isEveryRuleCounted: false},
};

/** How rules of a language are carried out. */
export function semanticsOf(language: RuleLanguage): Semantics {
	return semantics[language];
}
