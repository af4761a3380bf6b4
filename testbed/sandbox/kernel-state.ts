/**
What the kernel holds of rules at one moment: their counters and handles, and the owners that the trace switch noted.
*/

import {tableFamily} from '../../src/netfilter/lookup.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {SocketOwner} from '../../src/trace/legs.js';
import {
	LoadedRulesError, parseNftListing, parseSavedCounters, type LoadedRule,
} from '../../src/trace/loaded-rules.js';
import {TestbedError} from '../errors.js';
import {parseOwners, switchTable} from '../tracer/switch-table.js';
import type {Netns} from './netns.js';
import {tool} from './rules.js';

/** The rules with their counters (and handles, where the back end has them), as the kernel holds them now, and the owners that the trace switch noted. */
export type KernelState = {readonly rules: readonly LoadedRule[]; readonly owners: readonly SocketOwner[]};

/** Reads both at once. */
export async function loadKernelState(netns: Netns, {backend, families, lockFile}: {
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	readonly lockFile: string;
}): Promise<KernelState> {
	// Numeric (-n), so that a user is a number whatever /etc/passwd calls it.
	const listing = netns.run('nft', ['-n', '-j', 'list', 'ruleset']);
	const saved = backend === 'iptables-legacy'
		? families.map(async family => netns.run(tool(backend, family, 'save'), ['-c'], {environment: {XTABLES_LOCKFILE: lockFile}}))
		: [];
	const [text, ...legacy] = await Promise.all([listing, ...saved]);
	try {
		return {
			rules: backend === 'iptables-legacy'
				? legacy.flatMap((dump, index) => parseSavedCounters(dump, tableFamily(families[index]!) as 'ip' | 'ip6'))
				: parseNftListing(text, [switchTable]),
			owners: parseOwners(text),
		};
	} catch (error) {
		throw error instanceof LoadedRulesError
			? new TestbedError('COMMAND_FAILED', {
				message: `What the kernel holds was printed in a form that is not understood: ${error.message}`, state: 'Nothing was judged.', cause: error,
			})
			: error;
	}
}
