/**
Kuma as a mesh.
*/

import {dumpMesh} from '../mesh/dump-mesh.js';
import type {Mesh} from '../mesh/mesh.js';
import {identify} from './identity.js';
import {intentOf} from './intent.js';
import {referenceOf} from './reference.js';
import {
	chainsOfKuma, names, roleOf, roles,
} from './roles.js';
import {kumaTraffic} from './traffic.js';

/** Kuma, with everything that the other rooms need. No input generates its rules: they come as dumps. */
export const kuma: Mesh = dumpMesh({
	name: 'kuma',
	chains: chainsOfKuma,
	roles,
	roleOf,
	names,
	intentOf,
	identify,
	reference: referenceOf,
	routing: (_intent, families) => ({loopbackAddresses: families.includes('ipv6') ? [{family: 'ipv6', address: '::6/128'}] : [], markRules: [], localRoutes: []}),
	isBeyondIntent: () => false,
	traffic: kumaTraffic,
});
