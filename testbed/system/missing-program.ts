/**
The error for a program that is missing on this machine, with the Debian package that contains it.
*/

import {backendTools} from '../../src/netfilter/backends.js';
import {TestbedError} from '../errors.js';
import {forRoot} from './privileges.js';

/** The Debian package of each program; all others belong to iptables. */
const packages: ReadonlyMap<string, string> = new Map([
	['ip', 'iproute2'], ['mount', 'mount'], ['setpriv', 'util-linux'], ['unshare', 'util-linux'],
	['qemu-system-x86_64', 'qemu-system-x86'], ['mmdebstrap', 'mmdebstrap'], ['mke2fs', 'e2fsprogs'], ['depmod', 'kmod'], ['apt-get', 'apt'], ['dpkg-deb', 'dpkg'], ['tar', 'tar'],
	...backendTools.map(({program, debianPackage}) => [program, debianPackage] as const),
]);

/** The Debian package that contains a program. */
export function packageOf(program: string): string {
	return packages.get(program) ?? 'iptables';
}

/** The error that says which program is missing and how to install it. */
export function missingProgram(file: string, cause?: unknown): TestbedError {
	return new TestbedError('MISSING_PROGRAM', {
		message: `The program ${file} is not installed on this machine.`,
		hint: forRoot(`apt-get install -y ${packageOf(file)}`),
		cause,
	});
}
