/**
The driver of iptables-nft: the language of iptables, kept by the kernel in nf_tables. nft sees its tables, counts for them and can take them away.
*/

import {iptablesDriver} from './iptables.js';
import {loadListedTexts, nftTrace, removeNftTables} from './nft-tool.js';

/** The driver. */
export const iptablesNft = iptablesDriver({
	name: 'iptables-nft',
	variant: 'nft',
	restoreArguments: [],
	moduleOf: ({module}) => module.nft,
	needsOf: module => `${module} (and nft_compat)`,
	trace: nftTrace,
	removeTables: removeNftTables,
	loadKernelTexts: loadListedTexts,
});
