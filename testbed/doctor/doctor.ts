/**
Whether this machine can do what the testbed does, found out by doing it: each check programs a real rule, traces a real packet or becomes another user, in a scratch namespace. A tool that merely exists, or exits 0, proves nothing: `iptables-save` exits 0 whether or not its back end works.
*/

import {LockFile} from '../system/lock-file.js';
import {actorChecks} from './actors.js';
import {examine, type Check, type Finding} from './check.js';
import {confinementChecks} from './confinement.js';
import {generalChecks} from './general.js';
import {ruleChecks} from './rules.js';
import {traceTableChecks, traceChecks} from './trace.js';

/** All that is tried, in order. A file with further checks is a line here; `lockFile` is for iptables-legacy. */
const parts: ReadonlyArray<(lockFile: string) => readonly Check[] | Promise<readonly Check[]>> = [
	generalChecks, confinementChecks, traceTableChecks, actorChecks, ruleChecks, traceChecks,
];

/** Tries everything, one after the other: a module is loaded by the first rule that needs it. */
export async function diagnose(onFinding: (finding: Finding) => void = () => undefined): Promise<readonly Finding[]> {
	const findings: Finding[] = [];
	await using lockFile = await LockFile.create();
	for (const part of parts) {
		for (const check of await part(lockFile.path)) { // eslint-disable-line no-await-in-loop -- The first user of a module loads it; side by side the order of causes would be lost.
			const finding = await examine(check); // eslint-disable-line no-await-in-loop -- See above.
			findings.push(finding);
			onFinding(finding);
		}
	}

	return findings;
}
