/**
The driver of iptables-legacy: iptables rules that the kernel keeps in ip_tables and ip6_tables, invisible to nft.
*/

import {parseLoadedRules, type KernelTexts} from '../../../src/trace/loaded-rules.js';
import type {Netns} from '../netns.js';
import type {CounterRequest} from './driver.js';
import {iptablesDriver, saveRules} from './iptables.js';
import {loadNftListing} from './nft-tool.js';

/** Seconds that a restore waits for the lock of its own run, which the other family's restore holds for some milliseconds. Both families share it: 1.8.9 waits by itself, 1.8.11 only if told to (measured: `flock(LOCK_EX | LOCK_NB)`, then status 4). Both know `-w`; the nft variants take no lock. */
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
	// Its tables can be emptied, but they stay until their namespace is gone, and packets still pass through them.
	removeTables: undefined,
	async loadKernelTexts(netns, request) {
		// Its rules are not in nft's listing, which has the testbed's own table.
		const [listing, saved] = await Promise.all([loadNftListing(netns), saveCounted(netns, request)]);
		return {listing, saved};
	},
	async loadRules(netns, {exceptTables, ...request}) {
		return parseLoadedRules({listing: '', saved: await saveCounted(netns, request)}, {backend: 'iptables-legacy', exceptTables});
	},
});

async function saveCounted(netns: Netns, {families, lockFile}: CounterRequest): Promise<KernelTexts['saved']> {
	return Promise.all(families.map(async family => ({
		family, text: await saveRules(netns, {
			variant, family, lockFile, hasCounters: true,
		}),
	})));
}
