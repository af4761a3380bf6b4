/**
A rule set to show, with everything that is printed about it. Plain data.
*/

import type {Identity} from '../../mesh/identity.js';
import type {MeshRules} from '../../mesh/mesh.js';
import type {AddressFamily, Backend} from '../../netfilter/types.js';
import type {SidecarRouting} from '../../mesh/routing.js';

/** What `testbed rules` shows. `sha256` is of the rules as text, all families, as in the report of a run. */
export type ShownRules = {
	readonly source: string;
	readonly release: string | null;
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	readonly identity: Identity;
	readonly ruleSet: MeshRules;
	readonly routing: SidecarRouting;
	readonly warnings: readonly string[];
	/** As in `RulesSummary`. */
	readonly notes: readonly string[];
	readonly sha256: string;
};
