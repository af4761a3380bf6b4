/**
Empties sets of the testbed's own table by netlink. Apart from the table's name, which recordings are read with where FFI is not installed.
*/

import {flushRequest} from '../../src/trace/decode/nft-flush.js';
import {TestbedError} from '../errors.js';
import {errorName} from '../syscalls/libc.js';
import {change} from './netlink-change.js';
import {traceTable} from './own-table.js';

/**
Removes all elements of sets of the table, by a netlink socket of its namespace: without a program that starts, and waits at its end (`beginTable`).

@throws {TestbedError} COMMAND_FAILED if the kernel refuses. The socket is of no use then: the kernel may have answered more than once.
*/
export function flushSets(fd: number, sets: readonly string[]): void {
	const error = change(fd, flushRequest({table: traceTable, sets}));
	if (error !== 0) {
		throw new TestbedError('COMMAND_FAILED', {message: `The kernel did not empty the set${sets.length === 1 ? '' : 's'} ${sets.join(', ')} of the table ${traceTable}: ${error === undefined ? 'it did not answer' : errorName(error)}.`});
	}
}
