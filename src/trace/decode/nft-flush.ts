/**
The request to nf_tables that removes all elements of sets (linux/netfilter/nf_tables.h), as `nft flush set` sends it. Changes must be in a batch (linux/netfilter/nfnetlink.h); all sets share one, so that the kernel commits once.
*/

import {changeFlags, requestMessage} from './in-place.js';

const nfTables = 10; // `NFNL_SUBSYS_NFTABLES`.
const batch = {begin: 16, end: 17} as const; // `NFNL_MSG_BATCH_BEGIN`, `NFNL_MSG_BATCH_END`.
const deleteElements = (nfTables << 8) | 14; // `NFT_MSG_DELSETELEM`; without elements it removes all.
const elements = {table: 1, set: 2} as const;
const inet = 1;

/** The request for sets in a table of family inet. The kernel answers with one message about an error, which is 0 if all went well; if not, it may also answer for the last set. */
export function flushRequest({table, sets}: {readonly table: string; readonly sets: readonly string[]}): Uint8Array {
	const edge = (type: number): Uint8Array => requestMessage(type, 0, [], {flags: 0, resource: nfTables});
	return Uint8Array.from([
		...edge(batch.begin),
		...sets.flatMap((set, index) => [...requestMessage(deleteElements, inet, [[elements.table, table], [elements.set, set]], {flags: index === sets.length - 1 ? changeFlags : 0})]),
		...edge(batch.end),
	]);
}
