/**
What the doctor says of the walls around the rule tools: that they stand, by trying, and which of them this kernel has.
*/

import {writeFileSync} from 'node:fs';
import {file} from 'tmp-promise';
import {TestbedError} from '../errors.js';
import {CommandError} from '../system/exec.js';
import {loadConfinement, runConfined} from '../confinement/run-confined.js';
import {Netns} from '../sandbox/netns.js';
import type {Check} from './check.js';

const shared = {group: 'rule tools confined', use: 'everything'} as const;

/** Has a tool read a file of the machine, which it must not be able to. */
async function tryToRead(): Promise<void> {
	const {unusable} = await loadConfinement();
	if (unusable.length > 0) {
		throw new TestbedError('MACHINE', {message: unusable.map(({name, reason}) => `${name} cannot be run there: ${reason}`).join('\n'), hint: 'Put the folders of the programs themselves first in PATH.'});
	}

	await using netns = Netns.create('doctor');
	const {path, cleanup} = await file({prefix: 'testbed-doctor-'});
	try {
		writeFileSync(path, 'link show lo\n');
		// Outside, `ip` does what the file says.
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

/** Nothing is left to try: the wall was raised, or the kernel said that it has none. */
async function asTheKernelSaid(): Promise<void> {
	await loadConfinement();
}

/** The checks; which walls there are decides what they say. Where the kernel lacks Landlock or seccomp the others stand, so that is no fault. */
export async function confinementChecks(): Promise<readonly Check[]> {
	const namespaces: Check = {
		...shared,
		what: 'rule tools confined: a root, a PID namespace and capabilities of their own',
		needs: 'MNT_NS and PID_NS, CAP_SYS_ADMIN, and the program mount',
		fix: 'Run it as root; a container needs --privileged.',
		act: tryToRead,
	};
	try {
		const {walls: {landlock, sockets}} = await loadConfinement();
		return [namespaces, {
			...shared,
			what: landlock > 0 ? `rule tools confined: Landlock, version ${landlock}` : 'rule tools confined: without Landlock, which this kernel does not have (5.13) or did not switch on (lsm=)',
			needs: 'SECURITY_LANDLOCK',
			fix: 'Boot with landlock in the list lsm=.',
			act: asTheKernelSaid,
		}, {
			...shared,
			what: sockets === true ? 'rule tools confined: no sockets but netlink (ROUTE, NETFILTER) and raw ones of protocol RAW, by seccomp' : `rule tools confined: sockets of every kind, for there is no filter: ${sockets}`,
			needs: 'SECCOMP_FILTER',
			fix: 'Use a kernel with it.',
			act: asTheKernelSaid,
		}];
	} catch {
		return [namespaces]; // Trying tells why.
	}
}
