/**
`testbed --version`.
*/

import {defaultBackend} from '../../../src/netfilter/backends.js';
import {askEnvironment} from '../../system/environment.js';
import {run} from '../../system/exec.js';

/** The versions of everything that a result depends on. The programs are not confined, which only root can have them be. */
export async function printVersions(version: string): Promise<string> {
	const {kernel, iptables, nft, node} = await askEnvironment(defaultBackend, async program => run(program, ['--version']));
	return `testbed ${version}\nkernel ${kernel}\niptables ${iptables}\nnft ${nft}\nnode ${node}\n`;
}
