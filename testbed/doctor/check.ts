/**
A check of the doctor, and what it finds.
*/

import type {Backend} from '../../src/netfilter/types.js';
import type {SampleUse} from '../sandbox/kernel-samples.js';
import {TestbedError} from '../errors.js';
import {forRoot} from '../system/privileges.js';

/** What a check is for: everything that the testbed does; users other than root; the actors of `run`; the prober of `diff` and similar commands; invalid packets; or a kind of rule set. */
export type Use = 'everything' | 'users' | 'actors' | 'prober' | 'invalid packets' | SampleUse;

/** One thing to try. `needs` names the kernel option, module or package, `fix` the command that provides it. */
export type Check = {
	readonly what: string;
	/** Checks of one group are printed as one paragraph if all of them pass. */
	readonly group: string;
	/** Undefined for what every back end needs. */
	readonly backend?: Backend;
	readonly use: Use;
	readonly needs: string;
	readonly fix: string;
	readonly act: () => Promise<void>;
};

/** What was found. */
export type Finding = Omit<Check, 'act'> & {readonly ok: boolean; readonly reason: string | undefined};

const restart = 'Use a kernel that has it; Debian\'s linux-image-amd64 has everything the testbed needs.';

/** A command that only root can run, for this user. */
function asThisUser(fix: string): string {
	return /^(?:modprobe|apt-get|mount) /u.test(fix) ? forRoot(fix) : fix;
}

/** Runs a check. */
export async function examine({act, ...given}: Check): Promise<Finding> {
	const check = {...given, fix: asThisUser(given.fix)};
	try {
		await act();
		return {...check, ok: true, reason: undefined};
	} catch (error) {
		const known = error instanceof TestbedError;
		return {
			...check,
			ok: false,
			reason: error instanceof Error ? error.message : String(error),
			needs: known && error.code === 'MISSING_PROGRAM' ? error.message : check.needs,
			fix: known && error.hint !== undefined ? error.hint : (check.fix === '' ? restart : check.fix),
		};
	}
}
