/**
What the kernel holds of rules at one moment: their counters and handles, and the owners that the trace switch noted.
*/

import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {Netns} from '../sandbox/netns.js';
import {tool} from '../sandbox/tools.js';
import {parseKernelState, type KernelState, type KernelTexts} from './kernel-texts.js';

/** What is read, and with which lock (iptables-legacy takes one). */
export type StateRequest = {
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	readonly lockFile: string;
};

/** Reads both at once, as the tools print it. */
export async function loadKernelTexts(netns: Netns, {backend, families, lockFile}: StateRequest): Promise<KernelTexts> {
	const [listing, saved] = await Promise.all([
		// Numeric (-n), so that a user is a number whatever /etc/passwd calls it.
		netns.runConfined('nft', ['-n', '-j', 'list', 'ruleset']),
		Promise.all(backend === 'iptables-legacy'
			? families.map(async family => ({family, text: await netns.runConfined(tool(backend, family, 'save'), ['-c'], {environment: {XTABLES_LOCKFILE: lockFile}})}))
			: []),
	]);
	return {listing, saved};
}

/**
The same, read.

@throws {TestbedError} COMMAND_FAILED when a tool printed something else.
*/
export async function loadKernelState(netns: Netns, request: StateRequest): Promise<KernelState> {
	return parseKernelState(await loadKernelTexts(netns, request), request.backend);
}
