/**
Consul as a mesh.
*/

import {dumpMesh} from '../mesh/dump-mesh.js';
import type {Mesh} from '../mesh/mesh.js';
import {identify} from './identity.js';
import {intentOf} from './intent.js';
import {referenceOf} from './reference.js';
import {
	chainsOfConsul, names, roleOf, roles,
} from './roles.js';
import {consulTraffic} from './traffic.js';

/** Consul, with everything that the other rooms need. No input generates its rules: they come as dumps. */
export const consul: Mesh = dumpMesh({
	name: 'consul',
	chains: chainsOfConsul,
	roles,
	roleOf,
	names,
	intentOf,
	identify,
	reference: referenceOf,
	isBeyondIntent: () => false,
	traffic: consulTraffic,
});
