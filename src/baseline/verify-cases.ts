/**
Compares the connections of the six types and of scenarios with their records.
*/

import type {Gap} from '../trace/gap.js';
import {isSame, type ShownMove, type ShownProbe} from '../comparison/moves.js';
import type {RecordedCase} from './baseline.js';

/** The current result of a connection. `shown` is what the kernel did, for drawings. */
export type ObservedCase = RecordedCase & {readonly gaps: readonly Gap[]; readonly shown?: ShownProbe};

/** One recorded connection, checked. */
export type CheckedCase =
	| {readonly record: RecordedCase; readonly outcome: 'same'}
	| {readonly record: RecordedCase; readonly outcome: 'moved'; readonly what: 'stops' | 'roles'; readonly to: RecordedCase; /** What the kernel did, for drawings. */ readonly shown?: ShownMove}
	| {readonly record: RecordedCase; readonly outcome: 'inconclusive'; readonly gaps: readonly Gap[]};

/** Checks each recorded connection; one that was not sent again is inconclusive. */
export function verifyCases({recorded, observed, areRolesCompared}: {
	readonly recorded: readonly RecordedCase[]; readonly observed: readonly ObservedCase[]; readonly areRolesCompared: boolean;
}): readonly CheckedCase[] {
	const now = new Map(observed.map(each => [keyOf(each), each]));
	return recorded.map((record): CheckedCase => {
		const found = now.get(keyOf(record));
		if (found === undefined) {
			return {record, outcome: 'inconclusive', gaps: [{kind: 'not-sent', message: `${nameOfCase(record)} is recorded but was not sent: its number and name no longer exist.`}]};
		}

		const {gaps, shown, ...to} = found;
		const drawn = shown === undefined ? {} : {shown: {to: shown}};
		if (gaps.length > 0) {
			return {record, outcome: 'inconclusive', gaps};
		}

		if (!isSame(record.stops, to.stops)) {
			return {
				record, outcome: 'moved', what: 'stops', to, ...drawn,
			};
		}

		return areRolesCompared && !isSame(record.roles.map(String), to.roles.map(String))
			? {
				record, outcome: 'moved', what: 'roles', to, ...drawn,
			}
			: {record, outcome: 'same'};
	});
}

/** Connections without a record: they are listed but decide nothing. */
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
