/**
`testbed doctor`.
*/

import {diagnose, type Finding} from '../doctor.js';
import {exitStatusOf} from '../errors.js';
import {writeOut} from '../streams.js';
import {untilSignal} from './signals.js';

function print({what, ok, reason, needs, mend}: Finding): string {
	return ok ? `✔ ${what}\n` : `✖ ${what}\n    needs ${needs}\n    ${reason?.trim().replaceAll('\n', '\n    ') ?? ''}\n    → ${mend}\n`;
}

/**
Tries everything that a run needs and says what is missing; returns the exit status.

@throws {TestbedError} INPUT when standard output takes nothing, INTERRUPTED after a signal.
*/
export async function doctorCommand(format: 'text' | 'json'): Promise<number> {
	return untilSignal(async signal => {
		const written: Array<Promise<readonly [PromiseSettledResult<boolean>]>> = [];
		const findings = await diagnose(finding => {
			// After a signal a tool may have been ended by it: what is found then says nothing of the machine.
			if (format === 'text' && !signal.aborted) {
				written.push(Promise.allSettled([writeOut(print(finding))]));
			}
		});
		signal.throwIfAborted();
		for (const [result] of await Promise.all(written)) {
			if (result.status === 'rejected') {
				throw result.reason as Error;
			}
		}

		const missing = findings.filter(({ok}) => !ok);
		await writeOut(format === 'json'
			? `${JSON.stringify({version: 1, findings}, undefined, 2)}\n`
			: `\n${findings.length - missing.length} of ${findings.length} work on this machine.${missing.length === 0 ? '' : ` First: ${missing[0]!.mend}`}\n`);
		return missing.length === 0 ? 0 : exitStatusOf.MACHINE;
	});
}
