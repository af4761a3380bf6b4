/**
Functions of nft for all back ends that keep their rules in nf_tables.
*/

import type {RuleSet} from '../../../src/netfilter/types.js';
import type {KernelTexts, LoadedRule} from '../../../src/trace/loaded-rules.js';
import {dumpRules} from '../nft-dump.js';
import type {Netns} from '../netns.js';

/** What the kernel must have for tracing, and the module that provides it. */
export const nftTrace = {needs: 'nf_tables (NFT_TRACE is part of it)', module: 'nf_tables'} as const;

/** Loads a text with nft, atomically. */
export async function loadNftText(netns: Netns, text: string): Promise<void> {
	await netns.runConfined('nft', ['-f', '-'], {input: text});
}

/** The commands that delete tables. */
export function deletionsOf({tables}: RuleSet): string {
	return tables.map(({family, name}) => `delete table ${family} ${name}\n`).join('');
}

/** Deletes tables that nft or iptables-nft created. */
export async function removeNftTables(netns: Netns, ruleSet: RuleSet): Promise<void> {
	if (ruleSet.tables.length > 0) {
		await loadNftText(netns, deletionsOf(ruleSet));
	}
}

/** Lists the ruleset as JSON. Numeric (-n), so that users are numbers regardless of /etc/passwd. */
export async function loadNftListing(netns: Netns): Promise<string> {
	return netns.runConfined('nft', ['-n', '-j', 'list', 'ruleset']);
}

/** The kernel texts of back ends whose rules and counters nft lists. */
export async function loadListedTexts(netns: Netns): Promise<KernelTexts> {
	return {listing: await loadNftListing(netns), saved: []};
}

/** The rules of back ends that keep them in nf_tables. */
export async function loadDumpedRules(netns: Netns, {exceptTables}: {readonly exceptTables: readonly string[]}): Promise<readonly LoadedRule[]> {
	return dumpRules(netns, exceptTables);
}
