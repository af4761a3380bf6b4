/**
`testbed doctor`.
*/

import process from 'node:process';
import {diagnose, type Finding} from '../doctor.js';
import {exitStatusOf} from '../errors.js';

function print({what, ok, reason, needs, mend}: Finding): string {
	return ok ? `✔ ${what}\n` : `✖ ${what}\n    needs ${needs}\n    ${reason?.trim().replaceAll('\n', '\n    ') ?? ''}\n    → ${mend}\n`;
}

/** Tries everything that a run needs and says what is missing; returns the exit status. */
export async function doctorCommand(format: 'text' | 'json'): Promise<number> {
	const findings = await diagnose(finding => {
		if (format === 'text') {
			process.stdout.write(print(finding));
		}
	});
	const missing = findings.filter(({ok}) => !ok);
	process.stdout.write(format === 'json'
		? `${JSON.stringify({version: 1, findings}, undefined, 2)}\n`
		: `\n${findings.length - missing.length} of ${findings.length} work on this machine.${missing.length === 0 ? '' : ` First: ${missing[0]!.mend}`}\n`);
	return missing.length === 0 ? 0 : exitStatusOf.MACHINE;
}
