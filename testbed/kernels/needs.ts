/**
What this machine needs to boot other kernels.
*/

import process from 'node:process';
import {TestbedError} from '../errors.js';
import {searchPath} from '../system/commands.js';
import {findProgram} from '../system/find-program.js';
import {packageOf} from '../system/missing-program.js';
import {forRoot} from '../system/privileges.js';

/** Programs that every boot needs. */
export const bootPrograms = ['qemu-system-x86_64', 'mke2fs', 'tar'] as const;

/** Those that make the images. */
export const makePrograms = ['mmdebstrap', 'apt-get', 'apt-cache', 'dpkg-deb', 'depmod'] as const;

/** Their Debian packages, each once. Those of apt itself are on every Debian and Ubuntu. */
function packagesFor(programs: readonly string[]): readonly string[] {
	return [...new Set(programs.map(program => program === 'apt-cache' ? 'apt' : packageOf(program)))];
}

/**
All programs are there.

@throws {TestbedError} NOT_TRIED, which names all that are missing.
*/
export function requirePrograms(programs: readonly string[], {what, find = name => findProgram(name, searchPath)}: {
	readonly what: string; readonly find?: (name: string) => string | undefined;
}): void {
	const missing = programs.filter(program => find(program) === undefined);
	if (missing.length > 0) {
		throw new TestbedError('NOT_TRIED', {
			message: `${what} needs ${missing.join(', ')}, and this machine has no such program.`,
			state: 'Nothing was fetched or booted.',
			hint: missing.includes('apt-get') ? 'The kernels are Debian\'s packages: run it on a Debian or Ubuntu.' : forRoot(`apt-get install -y ${packagesFor(missing).join(' ')}`),
		});
	}
}

/**
The kernels are for x86-64, and so is the Node addon that is packed for the guest.

@throws {TestbedError} NOT_TRIED.
*/
export function requireArchitecture(architecture: string = process.arch, platform: string = process.platform): void {
	if (architecture !== 'x64' || platform !== 'linux') {
		throw new TestbedError('NOT_TRIED', {message: `Other kernels are booted on Linux on x86-64 only, and this is ${platform} on ${architecture}.`, state: 'Nothing was fetched or booted.'});
	}
}
