/**
Rule sets in tests that are read by Istio's table of roles.
*/

import {istio} from '../../src/istio/mesh.js';
import {rulesOfMesh, type MeshRules} from '../../src/mesh/mesh.js';
import type {RuleSet} from '../../src/netfilter/types.js';

/** A rule set as one of Istio's. */
export function ofIstio(ruleSet: RuleSet): MeshRules {
	return rulesOfMesh(ruleSet, istio);
}
