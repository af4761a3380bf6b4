/**
The machine that a run ran on: versions of the programs involved.
*/

import process from 'node:process';
import {release} from 'node:os';
import {factsOf} from '../../src/netfilter/backends.js';
import type {Backend} from '../../src/netfilter/types.js';
import type {Environment} from '../../src/report/shared-types.js';
import {run} from './exec.js';

/** Starts asking for the versions, without waiting. A run calls it while its actors start: later, everything would wait for the answer (37 of 790 ms). */
export function prepareEnvironment(backend: Backend): void {
	// A failure is reported to whoever waits for the versions.
	void Promise.allSettled([loadEnvironment(backend)]);
}

/** Versions of the kernel, of the back end's iptables, of nft and of Node. */
export async function loadEnvironment(backend: Backend): Promise<Environment> {
	const known = environments.get(backend) ?? askEnvironment(backend);
	environments.set(backend, known);
	return known;
}

/** Cached, because versions do not change while the process runs, and a run of many rule sets needs them repeatedly. */
const environments = new Map<Backend, Promise<Environment>>();

async function askEnvironment(backend: Backend): Promise<Environment> {
	const [iptables, nft] = await Promise.all([
		run(factsOf(backend).iptablesProgram, ['--version']),
		run('nft', ['--version']),
	]);
	return {
		kernel: release(),
		iptables: iptables.replace(/^iptables v/u, ''),
		nft: /v(?<version>\S+)/u.exec(nft)?.groups?.['version'] ?? nft,
		node: process.versions.node,
	};
}
