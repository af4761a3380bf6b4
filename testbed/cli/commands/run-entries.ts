/**
The results of many runs in the order of their report, whether they come from one machine or from several.
*/

import {backends} from '../../../src/netfilter/types.js';
import type {RunEntry} from '../../../src/report/run/many.js';
import type {MissingInput} from '../../inputs/request.js';
import type {RunOptions} from '../../run/options.js';

/** A run that was asked for but cannot be done. */
export type MissingRun = Omit<MissingInput, 'release'> & {readonly release: string | null; readonly scenario?: string};

/** How a report names a run. */
export type RunNames = Pick<RunEntry, 'source' | 'release' | 'backend' | 'scenario'>;

/** The names of a run that is to be done. */
export function namesOfRun({rules: {source, release, backend}, scenario}: RunOptions): RunNames {
	return {
		source, release, backend, ...(scenario === undefined ? {} : {scenario: scenario.name}),
	};
}

/** Whether a run can be done. */
export function isRun(one: RunOptions | MissingRun): one is RunOptions {
	return 'rules' in one;
}

/** A run that cannot be done, as the result of a run. */
export function absentEntry(run: MissingRun): RunEntry {
	return {...run, kind: 'unavailable'};
}

/** Runs that cannot be done come first, then the others as they were asked for. Scenarios are sorted by name, each with its back ends side by side. */
export function arrangeEntries(missing: readonly MissingRun[], entries: readonly RunEntry[]): readonly RunEntry[] {
	return [...missing.map(run => absentEntry(run)), ...entries].toSorted((one, other) => one.scenario === undefined || other.scenario === undefined
		? 0
		: one.scenario.localeCompare(other.scenario) || backends.indexOf(one.backend) - backends.indexOf(other.backend) || compareAbsent(one, other));
}

/** Scenarios of one name: first those that cannot be run, in an order of their own, because shards find some of them early and some late. */
function compareAbsent(one: RunEntry, other: RunEntry): number {
	return one.kind === 'unavailable' && other.kind === 'unavailable'
		? one.source.localeCompare(other.source) || one.reason.localeCompare(other.reason)
		: Number(other.kind === 'unavailable') - Number(one.kind === 'unavailable');
}
