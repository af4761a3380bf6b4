/**
Checks of the confinement of the rule tools: that it holds, by trying, and which parts of it this kernel supports.
*/

import {writeFileSync} from 'node:fs';
import {file} from 'tmp-promise';
import {TestbedError} from '../errors.js';
import {CommandError} from '../system/commands.js';
import {loadConfinement, runConfined} from '../confinement/run-confined.js';
import {Netns} from '../sandbox/netns.js';
import type {Check} from './check.js';

const shared = {group: 'rule tools confined', use: 'everything'} as const;

/** Has a confined tool try to read a file of the machine, which must fail. */
async function tryToRead(): Promise<void> {
	const {unusable} = await loadConfinement();
	if (unusable.length > 0) {
		throw new TestbedError('MACHINE', {message: unusable.map(({name, reason}) => `${name} cannot be run confined: ${reason}`).join('\n'), hint: 'Put the folders of the programs themselves first in PATH.'});
	}

	await using netns = Netns.create('doctor');
	const {path, cleanup} = await file({prefix: 'testbed-doctor-'});
	try {
		writeFileSync(path, 'link show lo\n');
		// Unconfined, `ip` can read the file.
		await netns.run('ip', ['-batch', path]);
		await runConfined('ip', ['-batch', path], {netns: netns.descriptor});
	} catch (error) {
		if (error instanceof CommandError && error.stderr.includes('No such file or directory')) {
			return;
		}

		throw error;
	} finally {
		await cleanup();
	}

	throw new TestbedError('MACHINE', {message: 'A confined tool read a file of this machine.'});
}

/** Nothing is left to try: the restriction was applied, or the kernel said that it does not support it. */
async function asTheKernelSaid(): Promise<void> {
	await loadConfinement();
}

/** The checks. What they say depends on what the kernel supports. Without Landlock or seccomp the other restrictions still hold, so that is not a failure. */
export async function confinementChecks(): Promise<readonly Check[]> {
	const namespaces: Check = {
		...shared,
		what: 'rule tools confined: their own root, PID namespace and capabilities',
		needs: 'MNT_NS and PID_NS, CAP_SYS_ADMIN, and the program mount',
		fix: 'Run it as root; a container needs --privileged.',
		act: tryToRead,
	};
	try {
		const {walls: {landlock, sockets}} = await loadConfinement();
		return [namespaces, {
			...shared,
			what: landlock > 0 ? `rule tools confined: Landlock, version ${landlock}` : 'rule tools confined: without Landlock, which this kernel lacks (needs 5.13) or did not enable (lsm=)',
			needs: 'SECURITY_LANDLOCK',
			fix: 'Boot with landlock in the lsm= list.',
			act: asTheKernelSaid,
		}, {
			...shared,
			what: sockets === true ? 'rule tools confined: only netlink (ROUTE, NETFILTER) and raw sockets of protocol RAW, by seccomp' : `rule tools confined: sockets of any kind, because there is no filter: ${sockets}`,
			needs: 'SECCOMP_FILTER',
			fix: 'Use a kernel that has it.',
			act: asTheKernelSaid,
		}];
	} catch {
		return [namespaces]; // The check fails with the reason.
	}
}
