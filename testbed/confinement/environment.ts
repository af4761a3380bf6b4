/**
The versions of the programs that a run uses, as the confined programs print them. The thread of the rule tools starts programs without a copy of this process (syscalls/spawn.ts): two forks, and loading execa, took 5 % of a run of the six types.
*/

import type {Backend} from '../../src/netfilter/types.js';
import type {Environment} from '../../src/report/shared-types.js';
import {ownNetnsDescriptor} from '../syscalls/netns.js';
import {askEnvironment} from '../system/environment.js';
import {runConfined} from './run-confined.js';

/** Starts asking for the versions, without waiting. A run calls it while its actors start: later, everything would wait for the answer (37 of 790 ms). */
export function prepareEnvironment(backend: Backend): void {
	// A failure is reported to whoever waits for the versions.
	void Promise.allSettled([loadEnvironment(backend)]);
}

/** Versions of the kernel, of the back end's iptables, of nft and of Node; as {@link askEnvironment}, and errors as `runConfined` throws them. */
export async function loadEnvironment(backend: Backend): Promise<Environment> {
	const known = environments.get(backend) ?? askEnvironment(backend, async program => runConfined(program, ['--version'], {netns: ownNetnsDescriptor(), loadsModules: false}));
	environments.set(backend, known);
	return known;
}

/** Cached, because versions do not change while the process runs, and a run of many rule sets needs them repeatedly. */
const environments = new Map<Backend, Promise<Environment>>();
