/**
The kernel's counts at one moment: of rules, and of packets by socket owner. They cross-check a batch.
*/

import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {LoadedRulesError, type LoadedRule} from '../../src/trace/loaded-rules.js';
import {TestbedError} from '../errors.js';
import {driverOf} from '../sandbox/backends/drivers.js';
import type {Netns} from '../sandbox/netns.js';
import {dumpPairs} from '../sandbox/nft-dump.js';
import {traceTable} from '../sandbox/own-table.js';
import {ownersSet} from './trace-table.js';

/** Rules with their counters, and packets by owner (`uid:gid`). */
export type KernelCounts = {readonly rules: readonly LoadedRule[]; readonly owners: ReadonlyMap<string, number>};

/**
Reads both counts.

@throws {TestbedError} COMMAND_FAILED if a tool fails or prints something that cannot be parsed.
*/
export async function loadCounts(netns: Netns, {backend, families, lockFile}: {
	readonly backend: Backend; readonly families: readonly AddressFamily[]; readonly lockFile: string;
}): Promise<KernelCounts> {
	try {
		return {
			rules: await driverOf(backend).loadRules(netns, {families, lockFile, exceptTables: [traceTable]}),
			owners: dumpPairs(netns, {table: traceTable, set: ownersSet}),
		};
	} catch (error) {
		throw error instanceof LoadedRulesError
			? new TestbedError('COMMAND_FAILED', {message: `The installed rules were printed in an unknown form: ${error.message}`, cause: error})
			: error;
	}
}
