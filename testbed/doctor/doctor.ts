/**
Finds out whether this machine can do what the testbed does by doing it: each check installs a real rule, traces a real packet or becomes another user, in a scratch namespace. That a tool exists or exits with 0 proves nothing: `iptables-save` exits with 0 whether or not its back end works.
*/

import type {TestbedError} from '../errors.js';
import {LockFile} from '../system/lock-file.js';
import {actorChecks} from './actors.js';
import {examine, type Check, type Finding} from './check.js';
import {confinementChecks} from './confinement.js';
import {generalChecks, programChecks} from './general.js';
import {ruleChecks} from './rules.js';
import {traceTableChecks, traceChecks} from './trace.js';
import {userNamespaceChecks} from './user-namespace.js';

/** All checks, in order; a new file of checks is added here. `lockFile` is for iptables-legacy. */
const parts: ReadonlyArray<(lockFile: string) => readonly Check[] | Promise<readonly Check[]>> = [
	generalChecks, confinementChecks, traceTableChecks, actorChecks, ruleChecks, traceChecks,
];

/** Those that an ordinary user can try without a user namespace. */
const partsOfUser: typeof parts = [programChecks];

/** Runs all checks one after the other: a module is loaded by the first rule that needs it. `wall` is what forbids this user a user namespace: then nothing that needs one is tried. */
export async function diagnose(onFinding: (finding: Finding) => void = () => undefined, {wall}: {readonly wall?: TestbedError | undefined} = {}): Promise<readonly Finding[]> {
	const findings: Finding[] = [];
	await using lockFile = await LockFile.create();
	for (const part of [() => userNamespaceChecks(wall), ...(wall === undefined ? parts : partsOfUser)]) {
		for (const check of await part(lockFile.path)) { // eslint-disable-line no-await-in-loop -- The first user of a module loads it; in parallel, cause and effect would be mixed up.
			const finding = await examine(check); // eslint-disable-line no-await-in-loop -- See above.
			findings.push(finding);
			onFinding(finding);
		}
	}

	return findings;
}
