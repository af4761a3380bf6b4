/**
A rule set that is to be shown, with everything that goes with it. Plain data.
*/

import type {MeshRules} from '../../mesh/mesh.js';
import type {AddressFamily, Backend} from '../../netfilter/types.js';
import type {SidecarRouting} from '../../mesh/routing.js';

/** What `testbed rules` shows. `sha256` is of the rules as text, all families, as in a report of a run. */
export type ShownRules = {
	readonly source: string;
	readonly release: string | null;
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	readonly ruleSet: MeshRules;
	readonly routing: SidecarRouting;
	readonly warnings: readonly string[];
	/** As in `RulesSummary`. */
	readonly notes: readonly string[];
	readonly sha256: string;
};
