/**
Whether rules treat a packet that is sent again as they treated it the first time. TCP repeats a first packet that gets no answer, so this says whether waiting for the next one can show anything new.
*/

import type {Match, Rule, Table, Target} from './types.js';

/** Whether a rule may count or choose at random (`statistic`, `limit`, `quota`): it has a match or target that is not understood. */
export function mayCount({matches, target}: Pick<Rule, 'matches' | 'target'>): boolean {
	return target.kind === 'extension' || matches.some(({kind}) => kind === 'opaque');
}

/** Whether some rule may count or choose: then what a packet meets can depend on all packets before it. */
export function someMayCount(tables: readonly Table[]): boolean {
	return tables.some(({chains}) => chains.some(({rules}) => rules.some(rule => mayCount(rule))));
}

/** What may be different for the next packet because of the first: the mark of its connection, and the socket that TPROXY finds for it. */
const remembering: ReadonlySet<Match['kind'] | Target['kind']> = new Set(['connmark', 'set-connmark', 'save-mark', 'restore-mark', 'tproxy']);

/**
How often an unanswered packet must be sent again before it is known that it makes no difference: not at all if all rules look at the packet alone, or at the state of its connection, which stays the same as long as there is no answer; once if they remember something that the first one changed; undefined if some rule may count.
*/
export function repetitionsThatTell(tables: readonly Table[]): 0 | 1 | undefined {
	if (someMayCount(tables)) {
		return undefined;
	}

	const rules = tables.flatMap(({chains}) => chains.flatMap(chain => chain.rules));
	return rules.some(({matches, target}) => remembering.has(target.kind) || matches.some(({kind}) => remembering.has(kind))) ? 1 : 0;
}
