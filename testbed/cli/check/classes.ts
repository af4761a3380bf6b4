/**
Counts the packet classes of rules, without a kernel.
*/

import {familyNames} from '../../../src/netfilter/address.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import type {Program} from '../../../src/packet-classes/symbolic-walk.js';
import {planClasses} from '../../analysis/probe-classes.js';
import {TestbedError} from '../../errors.js';
import {supervise} from '../supervise.js';
import type {PlanRow} from './plan.js';

/** Which rules to divide together in a family, and how. */
export type ClassRequest = {
	readonly families: readonly AddressFamily[];
	readonly programs: (family: AddressFamily) => readonly Program[];
	readonly limit: number;
	readonly hasBound?: boolean;
};

/**
The lines of a plan about classes: how many there are, and how many probes go through each rule set.

@throws {TestbedError} USAGE for more classes than the limit; INTERRUPTED after a signal.
*/
export async function rowsOfClasses({families, programs, limit, hasBound}: ClassRequest): Promise<readonly PlanRow[]> {
	try {
		return await supervise(async supervision => {
			const counts: string[] = [];
			let probes = 0;
			for (const family of families) {
				const {classSet, representatives} = await planClasses(programs(family), family, {...supervision, limit, hasBound}); // eslint-disable-line no-await-in-loop -- All on one thread.
				counts.push(`${classSet.classes.length} of ${familyNames[family]}`);
				probes += representatives.length;
			}

			return [['classes', counts.join(', ')], ['probes', `${probes} through each rule set`]];
		});
	} catch (error) {
		// The numbers do not go together, which is known without a kernel.
		throw error instanceof TestbedError && error.code === 'LIMIT' ? new TestbedError('USAGE', {message: error.message, hint: error.hint!, cause: error}) : error;
	}
}
