/**
The known meshes. Rooms receive one as a value; the list of all of them is here, outside the rooms.
*/

import {consul} from './consul/mesh.js';
import {istio} from './istio/mesh.js';
import {kuma} from './kuma/mesh.js';
import {linkerd} from './linkerd/mesh.js';
import type {Mesh} from './mesh/mesh.js';

/** Every mesh, in the order in which they are asked to recognize a user's rules. */
export const meshes: readonly [Mesh, ...Mesh[]] = [istio, linkerd, kuma, consul];
