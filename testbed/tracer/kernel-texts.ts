/**
What the kernel holds, as the tools print it: rules with their counters, and owners of sockets. A replay reads them as well, so nothing here runs a program.
*/

import {tableFamily} from '../../src/netfilter/lookup.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {SocketOwner} from '../../src/trace/legs.js';
import {
	LoadedRulesError, parseNftListing, parseSavedCounters, type LoadedRule,
} from '../../src/trace/loaded-rules.js';
import {TestbedError} from '../errors.js';
import {switchTable} from '../sandbox/own-table.js';
import {parseOwners} from './trace-table.js';

/** What the kernel held at one moment: `nft -n -j list ruleset`, and on iptables-legacy what `iptables-save -c` says as well. */
export type KernelTexts = {
	readonly listing: string;
	readonly saved: ReadonlyArray<{readonly family: AddressFamily; readonly text: string}>;
};

/** The rules with their counters (and handles, where the back end has them) as the kernel held them, and the owners that the trace switch noted. */
export type KernelState = {readonly rules: readonly LoadedRule[]; readonly owners: readonly SocketOwner[]};

/**
Reads what the kernel held.

@throws {TestbedError} COMMAND_FAILED when a tool printed something else.
*/
export function parseKernelState({listing, saved}: KernelTexts, backend: Backend): KernelState {
	try {
		return {
			rules: backend === 'iptables-legacy'
				? saved.flatMap(({family, text}) => parseSavedCounters(text, tableFamily(family) as 'ip' | 'ip6'))
				: parseNftListing(listing, [switchTable]),
			owners: parseOwners(listing),
		};
	} catch (error) {
		throw error instanceof LoadedRulesError
			? new TestbedError('COMMAND_FAILED', {
				message: `What the kernel holds was printed in a form that is not understood: ${error.message}`, state: 'Nothing was judged.', cause: error,
			})
			: error;
	}
}
