/**
`testbed --version`.
*/

import {defaultBackend} from '../../../src/netfilter/backends.js';
import {loadEnvironment} from '../../system/environment.js';

/** The versions of everything that a result depends on. */
export async function printVersions(version: string): Promise<string> {
	const {kernel, iptables, nft, node} = await loadEnvironment(defaultBackend);
	return `testbed ${version}\nkernel ${kernel}\niptables ${iptables}\nnft ${nft}\nnode ${node}\n`;
}
