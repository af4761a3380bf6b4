/**
What the kernel counted by one moment: rules, and owners of sockets. The witnesses of a batch.
*/

import {tableFamily} from '../../src/netfilter/lookup.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {
	LoadedRulesError, parseNftListing, parseSavedCounters, type LoadedRule,
} from '../../src/trace/loaded-rules.js';
import {TestbedError} from '../errors.js';
import type {Netns} from '../sandbox/netns.js';
import {tool} from '../sandbox/tools.js';
import {switchTable} from '../sandbox/own-table.js';
import {parseOwnerCounts} from './trace-table.js';

/** Rules with their counters, and packets by owner (`uid:gid`). */
export type KernelCounts = {readonly rules: readonly LoadedRule[]; readonly owners: ReadonlyMap<string, number>};

/**
Reads both.

@throws {TestbedError} COMMAND_FAILED when a tool fails or prints what is not understood.
*/
export async function loadCounts(netns: Netns, {backend, families, lockFile}: {
	readonly backend: Backend; readonly families: readonly AddressFamily[]; readonly lockFile: string;
}): Promise<KernelCounts> {
	const [text, ...saved] = await Promise.all([
		// Legacy's rules are not nft's: only the testbed's own table is read then.
		netns.runConfined('nft', ['-n', '-j', 'list', ...(backend === 'iptables-legacy' ? ['table', 'inet', switchTable] : ['ruleset'])]),
		...(backend === 'iptables-legacy' ? families.map(async family => netns.runConfined(tool(backend, family, 'save'), ['-c'], {environment: {XTABLES_LOCKFILE: lockFile}})) : []),
	]);
	try {
		return {
			rules: backend === 'iptables-legacy'
				? saved.flatMap((dump, index) => parseSavedCounters(dump, tableFamily(families[index]!) as 'ip' | 'ip6'))
				: parseNftListing(text, [switchTable]),
			owners: parseOwnerCounts(text),
		};
	} catch (error) {
		throw error instanceof LoadedRulesError
			? new TestbedError('COMMAND_FAILED', {message: `What the kernel holds was printed in a form that is not understood: ${error.message}`, cause: error})
			: error;
	}
}
