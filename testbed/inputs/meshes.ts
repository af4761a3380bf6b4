/**
The meshes that are known, and which of them rules belong to.
*/

import {istio} from '../../src/istio/mesh.js';
import {rulesOfMesh, type Mesh, type MeshRules} from '../../src/mesh/mesh.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {prefixOf} from './source.js';

/** Every mesh, in the order in which they are asked about rules that somebody brought. */
export const meshes: readonly [Mesh, ...Mesh[]] = [istio];

/** The mesh of a rule input: the one whose input it names, else the first that recognizes the rules. Rules that none recognizes are read by the first mesh, whose roles then are simply missing. */
export function meshOf({source, ruleSet}: {readonly source: string; readonly ruleSet: RuleSet}, known: readonly [Mesh, ...Mesh[]] = meshes): Mesh {
	const prefix = prefixOf(source);
	return known.find(({inputs}) => prefix !== undefined && inputs.includes(prefix))
		?? known.find(({recognizes}) => recognizes(ruleSet))
		?? known[0];
}

/** Rules with the mesh of the input that they came from. `ruleSet` is the input's own set, or what was read back of it. */
export function rulesWithMesh(input: {readonly source: string; readonly ruleSet: RuleSet}, ruleSet: RuleSet = input.ruleSet): MeshRules {
	return rulesOfMesh(ruleSet, meshOf(input));
}
