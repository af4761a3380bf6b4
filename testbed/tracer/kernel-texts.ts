/**
Parses what the tools print about the kernel's state: rules with their counters, and owners of sockets. Replays use this too, so nothing here runs a program.
*/

import type {Backend} from '../../src/netfilter/types.js';
import type {SocketOwner} from '../../src/trace/sockets.js';
import {
	LoadedRulesError, parseLoadedRules, readNftListing, type KernelTexts, type LoadedRule,
} from '../../src/trace/loaded-rules.js';
import {TestbedError} from '../errors.js';
import {traceTable} from '../sandbox/own-table.js';
import {parseOwners} from './trace-table.js';

/** The rules in the kernel with their counters (and handles, if the back end has them), and the owners that the trace table recorded. */
export type KernelState = {readonly rules: readonly LoadedRule[]; readonly owners: readonly SocketOwner[]};

/**
Parses the kernel's state.

@throws {TestbedError} COMMAND_FAILED if a tool's output cannot be parsed.
*/
export function parseKernelState(texts: KernelTexts, backend: Backend): KernelState {
	try {
		const listing = readNftListing(texts.listing);
		return {
			rules: parseLoadedRules(texts, {backend, exceptTables: [traceTable], listing}),
			owners: parseOwners(listing),
		};
	} catch (error) {
		throw error instanceof LoadedRulesError
			? new TestbedError('COMMAND_FAILED', {
				message: `The installed rules were printed in an unknown form: ${error.message}`, state: 'Nothing was judged.', cause: error,
			})
			: error;
	}
}
