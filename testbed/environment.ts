/**
The machine that a run ran on, by what its programs say of themselves.
*/

import process from 'node:process';
import {release} from 'node:os';
import type {Backend} from '../src/netfilter/types.js';
import type {Environment} from '../src/report/types.js';
import {run} from './exec.js';

/** Versions of the kernel, of the back end's iptables, of nft and of Node. */
export async function loadEnvironment(backend: Backend): Promise<Environment> {
	const [iptables, nft] = await Promise.all([
		run(backend === 'iptables-nft' ? 'iptables-nft' : 'iptables-legacy', ['--version']),
		run('nft', ['--version']),
	]);
	return {
		kernel: release(),
		iptables: iptables.replace(/^iptables v/u, ''),
		nft: /v(?<version>\S+)/u.exec(nft)?.groups?.['version'] ?? nft,
		node: process.versions.node,
	};
}
