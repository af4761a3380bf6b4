/**
Linkerd as a mesh.
*/

import {dumpMesh} from '../mesh/dump-mesh.js';
import type {Mesh} from '../mesh/mesh.js';
import {identify} from './identity.js';
import {intentOf} from './intent.js';
import {referenceOf} from './reference.js';
import {
	chainsOfLinkerd, names, roleOf, roles,
} from './roles.js';
import {linkerdTraffic} from './traffic.js';

/** Linkerd, with everything that the other rooms need. No input generates its rules: they come as dumps. */
export const linkerd: Mesh = dumpMesh({
	name: 'linkerd',
	chains: chainsOfLinkerd,
	roles,
	roleOf,
	names,
	intentOf,
	identify,
	reference: referenceOf,
	isBeyondIntent: role => role === 'subnet-exclude',
	traffic: linkerdTraffic,
});
