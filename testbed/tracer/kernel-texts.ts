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

/** The state as it was read: as the tools print it, for a recording, or by netlink, in some hundredths of the time. */
export type KernelReading = KernelTexts | KernelState;

/**
The state as the tools printed it.

@throws {RangeError} if it was read by netlink: a run whose evidence is to be written has to say so (`isRecorded`).
*/
export function textsOf(reading: KernelReading): KernelTexts {
	if ('rules' in reading) {
		throw new RangeError('the state of the rules was not read as text, so it cannot be recorded');
	}

	return reading;
}

/**
Parses the kernel's state, if it was read as text.

@throws {TestbedError} COMMAND_FAILED if a tool's output cannot be parsed.
*/
export function parseKernelState(reading: KernelReading, backend: Backend): KernelState {
	if ('rules' in reading) {
		return reading;
	}

	try {
		const listing = readNftListing(reading.listing);
		return {
			rules: parseLoadedRules(reading, {backend, exceptTables: [traceTable], listing}),
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
