/**
Reads the state of the rules in the kernel: their counters and handles, and the owners that the trace table recorded.
*/

import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {KernelTexts} from '../../src/trace/loaded-rules.js';
import {ownerSets} from '../../src/trace/owner-sets.js';
import {driverOf} from '../sandbox/backends/drivers.js';
import {dumpOwners} from '../sandbox/nft-dump.js';
import type {Netns} from '../sandbox/netns.js';
import {traceTable} from '../sandbox/own-table.js';
import {parseKernelState, type KernelState} from './kernel-texts.js';

/** What to read, and the lock file (for iptables-legacy). */
export type StateRequest = {
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	readonly lockFile: string;
};

/** Reads rules and owners as the tools print them. */
export async function loadKernelTexts(netns: Netns, {backend, families, lockFile}: StateRequest): Promise<KernelTexts> {
	return driverOf(backend).loadKernelTexts(netns, {families, lockFile});
}

/**
Reads rules and owners by netlink, as far as the back end keeps them in nf_tables.

@throws {TestbedError} COMMAND_FAILED if the kernel refuses, or if something cannot be parsed.
*/
export async function dumpKernelState(netns: Netns, {backend, families, lockFile}: StateRequest): Promise<KernelState> {
	return {
		rules: await driverOf(backend).loadRules(netns, {families, lockFile, exceptTables: [traceTable]}),
		owners: dumpOwners(netns, {table: traceTable, sets: ownerSets.filter(({family}) => families.includes(family))}),
	};
}

/**
Reads and parses rules and owners.

@throws {TestbedError} COMMAND_FAILED if a tool's output cannot be parsed.
*/
export async function loadKernelState(netns: Netns, request: StateRequest): Promise<KernelState> {
	return parseKernelState(await loadKernelTexts(netns, request), request.backend);
}
