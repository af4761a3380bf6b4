/**
The error for a program that is not on this machine, with the Debian package that has it.
*/

import {TestbedError} from '../errors.js';

/** The Debian package of each program; all others are of iptables. */
const packages: Readonly<Record<string, string>> = {ip: 'iproute2', nft: 'nftables', mount: 'mount'};

/** Says which program is missing and how to get it. */
export function missingProgram(file: string, cause?: unknown): TestbedError {
	return new TestbedError('MISSING_PROGRAM', {
		message: `The program ${file} is not on this machine.`,
		hint: `apt-get install -y ${packages[file] ?? 'iptables'}`,
		cause,
	});
}
