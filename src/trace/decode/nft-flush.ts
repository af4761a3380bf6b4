/**
The request to nf_tables that removes all elements of a set (linux/netfilter/nf_tables.h), as `nft flush set` sends it. A change must be in a batch (linux/netfilter/nfnetlink.h), which holds nothing else here.
*/

import {changeFlags, requestMessage} from './in-place.js';

const nfTables = 10; // `NFNL_SUBSYS_NFTABLES`.
const batch = {begin: 16, end: 17} as const; // `NFNL_MSG_BATCH_BEGIN`, `NFNL_MSG_BATCH_END`.
const deleteElements = (nfTables << 8) | 14; // `NFT_MSG_DELSETELEM`; without elements it removes all.
const elements = {table: 1, set: 2} as const;
const inet = 1;

/** The request for a set in a table of family inet. The kernel answers with one message about an error, which is 0 if all went well. */
export function flushRequest({table, set}: {readonly table: string; readonly set: string}): Uint8Array {
	const edge = (type: number): Uint8Array => requestMessage(type, 0, [], {flags: 0, resource: nfTables});
	return Uint8Array.from([
		...edge(batch.begin),
		...requestMessage(deleteElements, inet, [[elements.table, table], [elements.set, set]], {flags: changeFlags}),
		...edge(batch.end),
	]);
}
