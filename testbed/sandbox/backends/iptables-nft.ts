/**
The driver of iptables-nft: iptables rules that the kernel keeps in nf_tables. nft sees the tables with their counters and can remove them.
*/

import {iptablesDriver} from './iptables.js';
import {
	loadDumpedRules, loadListedTexts, nftTrace, removeNftTables,
} from './nft-tool.js';

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
	loadRules: loadDumpedRules,
});
