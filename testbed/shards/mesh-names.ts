/**
Meshes by name. Rules in a result refer to their mesh, which has functions, so a file has its name instead.
*/

import {unknownMesh} from '../../src/mesh/unknown.js';
import {meshes} from '../../src/meshes.js';

const known = new Map<string, object>([...meshes, unknownMesh].map(mesh => [mesh.name, mesh]));
const names = new Map([...known].map(([name, mesh]) => [mesh, name]));

/** The name of a mesh; undefined for any other object. */
export function nameOfMesh(value: object): string | undefined {
	return names.get(value);
}

/** The mesh of a name; undefined if there is none. */
export function meshOfName(name: string): object | undefined {
	return known.get(name);
}
