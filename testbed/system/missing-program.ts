/**
The error for a program that is not on this machine, with the Debian package that has it.
*/

import {backendTools} from '../../src/netfilter/backends.js';
import {TestbedError} from '../errors.js';

/** The Debian package of each program; all others are of iptables. */
const packages: ReadonlyMap<string, string> = new Map([
	['ip', 'iproute2'], ['mount', 'mount'], ...backendTools.map(({program, debianPackage}) => [program, debianPackage] as const),
]);

/** The Debian package that has a program. */
export function packageOf(program: string): string {
	return packages.get(program) ?? 'iptables';
}

/** Says which program is missing and how to get it. */
export function missingProgram(file: string, cause?: unknown): TestbedError {
	return new TestbedError('MISSING_PROGRAM', {
		message: `The program ${file} is not on this machine.`,
		hint: `apt-get install -y ${packageOf(file)}`,
		cause,
	});
}
