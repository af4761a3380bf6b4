/**
What nft does for every back end that keeps its rules in nf_tables.
*/

import type {RuleSet} from '../../../src/netfilter/types.js';
import type {KernelTexts} from '../../../src/trace/loaded-rules.js';
import type {Netns} from '../netns.js';

/** What the kernel must have for tracing, and the module that brings it. */
export const nftTrace = {needs: 'nf_tables (NFT_TRACE is part of it)', module: 'nf_tables'} as const;

/** Gives a text to nft, which takes all of it or nothing. */
export async function loadNftText(netns: Netns, text: string): Promise<void> {
	await netns.runConfined('nft', ['-f', '-'], {input: text});
}

/** The commands that take tables away, whole. */
export function deletionsOf({tables}: RuleSet): string {
	return tables.map(({family, name}) => `delete table ${family} ${name}\n`).join('');
}

/** Takes tables away that nft or iptables-nft made. */
export async function removeNftTables(netns: Netns, ruleSet: RuleSet): Promise<void> {
	if (ruleSet.tables.length > 0) {
		await loadNftText(netns, deletionsOf(ruleSet));
	}
}

/** What nft prints of the kernel, as JSON: of everything, or of one table. Numeric (-n), so that a user is a number whatever /etc/passwd calls it. */
export async function loadNftListing(netns: Netns, table?: string): Promise<string> {
	return netns.runConfined('nft', ['-n', '-j', 'list', ...(table === undefined ? ['ruleset'] : ['table', 'inet', table])]);
}

/** The counters of rules that nft lists. */
export async function loadListedTexts(netns: Netns): Promise<KernelTexts> {
	return {listing: await loadNftListing(netns), saved: []};
}
