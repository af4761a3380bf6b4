/**
The connections of the six types and of scenarios against what is recorded of them.
*/

import type {Gap} from '../trace/gap.js';
import {isSame} from '../comparison/moves.js';
import type {RecordedCase} from './baseline.js';

/** What came of a connection now. */
export type ObservedCase = RecordedCase & {readonly gaps: readonly Gap[]};

/** One recorded connection, checked. */
export type CheckedCase =
	| {readonly record: RecordedCase; readonly outcome: 'same'}
	| {readonly record: RecordedCase; readonly outcome: 'moved'; readonly what: 'stops' | 'roles'; readonly to: RecordedCase}
	| {readonly record: RecordedCase; readonly outcome: 'inconclusive'; readonly gaps: readonly Gap[]};

/** Checks each recorded connection; one that was not played again is in doubt. */
export function verifyCases({recorded, observed, areRolesCompared}: {
	readonly recorded: readonly RecordedCase[]; readonly observed: readonly ObservedCase[]; readonly areRolesCompared: boolean;
}): readonly CheckedCase[] {
	const now = new Map(observed.map(each => [keyOf(each), each]));
	return recorded.map((record): CheckedCase => {
		const found = now.get(keyOf(record));
		if (found === undefined) {
			return {record, outcome: 'inconclusive', gaps: [{kind: 'not-sent', message: `${nameOfCase(record)} is recorded, and was not sent: there is none of that number and name any more.`}]};
		}

		const {gaps, ...to} = found;
		if (gaps.length > 0) {
			return {record, outcome: 'inconclusive', gaps};
		}

		if (!isSame(record.stops, to.stops)) {
			return {
				record, outcome: 'moved', what: 'stops', to,
			};
		}

		return areRolesCompared && !isSame(record.roles.map(String), to.roles.map(String))
			? {
				record, outcome: 'moved', what: 'roles', to,
			}
			: {record, outcome: 'same'};
	});
}

/** Connections that nothing is recorded of: they decide nothing, and are told. */
export function unrecordedCases({recorded, observed}: {readonly recorded: readonly RecordedCase[]; readonly observed: readonly ObservedCase[]}): readonly string[] {
	const known = new Set(recorded.map(each => keyOf(each)));
	return observed.filter(each => !known.has(keyOf(each))).map(each => nameOfCase(each));
}

/** A connection by its name. */
export function nameOfCase({of, id, name, family}: RecordedCase): string {
	return `${of === 'types' ? 'type' : `${of}, probe`} ${id} ${name}, ${family}`;
}

function keyOf({of, id, name, family}: RecordedCase): string {
	return JSON.stringify([of, id, name, family]);
}
