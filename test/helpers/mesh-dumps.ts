/** The rules of other meshes as their generators wrote them; `test/fixtures/meshes/README.md` has their source. */

import {readFileSync} from 'node:fs';
import {importRules} from '../../src/netfilter/import/import-rules.js';
import {consul} from '../../src/consul/mesh.js';
import {kuma} from '../../src/kuma/mesh.js';
import {linkerd} from '../../src/linkerd/mesh.js';
import type {Mesh} from '../../src/mesh/mesh.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';

/** The meshes of which there are dumps. */
export const dumpedMeshes: readonly Mesh[] = [linkerd, kuma, consul];

/** The file of a dump, from the root of the project. */
export function dumpOf({name}: Pick<Mesh, 'name'>, family: AddressFamily): string {
	return `test/fixtures/meshes/${name}.${family === 'ipv4' ? 'v4' : 'v6'}.save`;
}

/** Its text. */
export function textOf(mesh: Pick<Mesh, 'name'>, family: AddressFamily): string {
	return readFileSync(new URL(`../../../${dumpOf(mesh, family)}`, import.meta.url), 'utf8');
}

/** Its rules. */
export function dumpedRules(mesh: Pick<Mesh, 'name'>, family: AddressFamily): RuleSet {
	return importRules(textOf(mesh, family), {family}).ruleSet;
}
