/**
What the kernel holds, as the tools print it: rules with their counters, and owners of sockets. A replay reads them as well, so nothing here runs a program.
*/

import type {Backend} from '../../src/netfilter/types.js';
import type {SocketOwner} from '../../src/trace/legs.js';
import {
	LoadedRulesError, parseLoadedRules, type KernelTexts, type LoadedRule,
} from '../../src/trace/loaded-rules.js';
import {TestbedError} from '../errors.js';
import {traceTable} from '../sandbox/own-table.js';
import {parseOwners} from './trace-table.js';

/** The rules with their counters (and handles, where the back end has them) as the kernel held them, and the owners that the trace switch noted. */
export type KernelState = {readonly rules: readonly LoadedRule[]; readonly owners: readonly SocketOwner[]};

/**
Reads what the kernel held.

@throws {TestbedError} COMMAND_FAILED when a tool printed something else.
*/
export function parseKernelState(texts: KernelTexts, backend: Backend): KernelState {
	try {
		return {
			rules: parseLoadedRules(texts, {backend, exceptTables: [traceTable]}),
			owners: parseOwners(texts.listing),
		};
	} catch (error) {
		throw error instanceof LoadedRulesError
			? new TestbedError('COMMAND_FAILED', {
				message: `What the kernel holds was printed in a form that is not understood: ${error.message}`, state: 'Nothing was judged.', cause: error,
			})
			: error;
	}
}
