/**
Helpers for the history of roles. Rule lists are known from 1.5 on; roles in the oldest of them, or of an option that is older, are `≤ 1.5`.
*/

import type {RoleHistory} from '../../mesh/roles.js';

/** The oldest release whose rules are known. */
export const oldest = '≤ 1.5';

/** In the rules of a default sidecar of 1.5, according to the sources at its tag. */
export const inOldest: RoleHistory = {since: oldest, until: null, source: 'istio/istio 1.5.10, rules of a default sidecar'};

/** A role that came with an option. */
export function byOption(since: string, option: string): RoleHistory {
	return {since, until: null, source: `istio/istio, option ${option}`};
}

/** A role that came with a change of the rules. */
export function changed(since: string, source: string, until: string | null = null): RoleHistory {
	return {since, until, source};
}
