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

/** Runs that cannot be done come first, then the others as they were asked for. Scenarios are sorted by name, each with its back ends side by side. */
export function arrangeEntries(missing: readonly MissingRun[], entries: readonly RunEntry[]): readonly RunEntry[] {
	const all = [...missing.map((entry): RunEntry => ({...entry, kind: 'unavailable'})), ...entries];
	return all.toSorted((one, other) => one.scenario === undefined || other.scenario === undefined
		? 0
		: one.scenario.localeCompare(other.scenario) || backends.indexOf(one.backend) - backends.indexOf(other.backend));
}
