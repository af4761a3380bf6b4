/**
A mesh whose rules come as dumps: the common part, so that each mesh only defines what is special about it.
*/

import {hasChain, type Mesh} from './mesh.js';
import type {Role} from './roles.js';
import {noRouting} from './routing.js';

/** The parts specific to a mesh. `chains` identify its rules; `routing` is present if it sets up something besides its rules, `inputs` if it has its own kind of rule input besides dumps. */
export type DumpMesh = Pick<Mesh, 'name' | 'roles' | 'roleOf' | 'names' | 'intentOf' | 'identify' | 'reference' | 'isBeyondIntent' | 'traffic'> & Partial<Pick<Mesh, 'inputs' | 'routing'>> & {readonly chains: RegExp};

const entryRoles: readonly Role[] = ['inbound-jump', 'outbound-jump'];

/** The mesh. Nothing is published about its routes, and the expected paths cover every intent that it can have. */
export function dumpMesh({chains, ...own}: DumpMesh): Mesh {
	return {
		inputs: [],
		recognizes: ruleSet => hasChain(ruleSet, chains),
		shadowOf: () => undefined,
		entryRoles: new Set(entryRoles),
		routing: () => noRouting,
		notes: () => [],
		unsupported: () => [],
		published: null,
		...own,
	};
}
