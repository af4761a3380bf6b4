/**
Where another proxy and the stub are known to differ, as far as a case here meets it: rows of the table in docs/limits.md. A row is named in the result, and a row whose case is equal is an error, because the table says something else.
*/

import type {OtherProxy} from '../../actors/proxy.js';
import type {Comparison} from './compare.js';

/** One row, by the beginning of its first cell. */
export type KnownRow = {
	readonly row: string;
	/** The scenario and the probes of it that meet the difference. */
	readonly case: string;
	readonly connections: readonly string[];
	/** What the comparison has to be. */
	readonly kind: 'different' | 'inconclusive';
	/** What a reason or the difference must say, so that no other fault hides behind the row. */
	readonly says: RegExp;
};

/** The rows of each proxy. */
export const knownRows: Readonly<Record<OtherProxy, readonly KnownRow[]>> = {
	envoy: [
		{
			row: 'if it cannot bind 127.0.0.6 or ::6, sends between 2 and about 30 SYNs',
			case: 'no-passthrough-address',
			connections: ['remote-to-local', 'local-to-local'],
			kind: 'inconclusive',
			says: /^(?:ambiguous|unclaimed): /mu,
		},
	],
};

/** The row that a comparison meets. */
export function rowOf(comparison: Comparison, rows: readonly KnownRow[]): KnownRow | undefined {
	return rows.find(row => row.case === comparison.case && row.connections.some(name => comparison.connection.split(' ').includes(name)));
}

/** Whether a comparison is what its row says. */
export function isAsRowSays(comparison: Comparison, {kind, says}: KnownRow): boolean {
	if (comparison.kind !== kind || (comparison.kind === 'inconclusive' && comparison.whose !== 'other')) {
		return false;
	}

	const texts = comparison.kind === 'inconclusive' ? comparison.reasons : (comparison.kind === 'different' ? comparison.other : []);
	return says.test(texts.join('\n'));
}
