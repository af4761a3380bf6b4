/**
Whether rule sets do the same with a class, according to the model.
*/

import type {PathCondition} from './walk-state.js';

/** Whether all rule sets do the same, rule by rule. Always true for a single one that is understood. */
export function isPredictedAlike(predicted: ReadonlyArray<Omit<PathCondition, 'packetSet'>>): boolean {
	const paths = predicted.map(each => describePath(each));
	return paths.every(path => path !== undefined && path === paths[0]);
}

function describePath({hits}: Omit<PathCondition, 'packetSet'>): string | undefined {
	return hits?.map(({table, chain, text}) => `${table} ${chain} ${text}`).join('\n');
}
