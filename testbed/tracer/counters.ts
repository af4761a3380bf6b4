/**
What the kernel holds of rules at one moment: their counters and handles, and the owners that the trace switch noted.
*/

import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {KernelTexts} from '../../src/trace/loaded-rules.js';
import {driverOf} from '../sandbox/backends/drivers.js';
import type {Netns} from '../sandbox/netns.js';
import {parseKernelState, type KernelState} from './kernel-texts.js';

/** What is read, and with which lock (iptables-legacy takes one). */
export type StateRequest = {
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	readonly lockFile: string;
};

/** Reads both at once, as the tools print it. */
export async function loadKernelTexts(netns: Netns, {backend, families, lockFile}: StateRequest): Promise<KernelTexts> {
	return driverOf(backend).loadKernelTexts(netns, {families, lockFile});
}

/**
The same, read.

@throws {TestbedError} COMMAND_FAILED when a tool printed something else.
*/
export async function loadKernelState(netns: Netns, request: StateRequest): Promise<KernelState> {
	return parseKernelState(await loadKernelTexts(netns, request), request.backend);
}
