/**
The driver of iptables-legacy: the language of iptables, kept by the kernel in ip_tables and ip6_tables, which nft does not see.
*/

import {traceTable} from '../own-table.js';
import {iptablesDriver, saveRules} from './iptables.js';
import {loadNftListing} from './nft-tool.js';

/** Seconds that a restore waits for the lock of its own run, which another family's restore holds for some milliseconds. Both families share it: 1.8.9 waits for it by itself, 1.8.11 only when it is told to (measured: `flock(LOCK_EX | LOCK_NB)`, then status 4). Both know `-w`; the nft variants take no lock. */
const lockWaitSeconds = 60;

const variant = 'legacy';

/** The driver. */
export const iptablesLegacy = iptablesDriver({
	name: 'iptables-legacy',
	variant,
	restoreArguments: ['-w', String(lockWaitSeconds)],
	moduleOf: ({module}, family) => module.legacy[family],
	needsOf: module => module,
	trace: {needs: 'nf_tables and nfnetlink_log', module: 'nfnetlink_log'},
	// Its tables can be emptied, but they stay until their namespace goes, and packets still pass through them.
	removeTables: undefined,
	async loadKernelTexts(netns, {families, lockFile, isBrief = false}) {
		const [listing, saved] = await Promise.all([
			// None of its rules are nft's, so the testbed's own table is all that is needed of the listing.
			loadNftListing(netns, isBrief ? traceTable : undefined),
			Promise.all(families.map(async family => ({
				family, text: await saveRules(netns, {
					variant, family, lockFile, hasCounters: true,
				}),
			}))),
		]);
		return {listing, saved};
	},
});
