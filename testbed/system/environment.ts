/**
The machine that a run ran on: versions of the programs involved.
*/

import process from 'node:process';
import {release} from 'node:os';
import {factsOf} from '../../src/netfilter/backends.js';
import type {Backend} from '../../src/netfilter/types.js';
import type {Environment} from '../../src/report/shared-types.js';

/**
Versions of the kernel, of the back end's iptables, of nft and of Node.

@param ask Runs a program with `--version` and returns what it prints; its errors are passed on.
*/
export async function askEnvironment(backend: Backend, ask: (program: string) => Promise<string>): Promise<Environment> {
	const [iptables, nft] = await Promise.all([ask(factsOf(backend).iptablesProgram), ask('nft')]);
	return {
		kernel: release(),
		iptables: iptables.replace(/^iptables v/u, ''),
		nft: /v(?<version>\S+)/u.exec(nft)?.groups?.['version'] ?? nft,
		node: process.versions.node,
	};
}
