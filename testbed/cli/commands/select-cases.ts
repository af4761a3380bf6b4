/**
`--filter` and `--list` of `testbed run`: chooses among the cases of all rule sets and scenarios, and names them.
*/

import {optionOf} from '../../../src/scenario/probe-spec.js';
import {nameOfCase} from '../../../src/report/run/results.js';
import {defaultTopology} from '../../../src/mesh/topology.js';
import {TestbedError} from '../../errors.js';
import type {RunOptions} from '../../run/options.js';
import {casesOf, keyOfCase, questionOf} from '../../run/report.js';
import {commandLine} from '../../system/program-name.js';
import {tell, writeOut} from '../../system/streams.js';
import {remark} from '../output/remark.js';
import type {MissingRun} from './run-entries.js';

/** Runs to do, and runs that cannot be done. */
export type SelectedRuns = {readonly inputs: readonly RunOptions[]; readonly missing: readonly MissingRun[]};

/** How a case is named in a list: the rules or the scenario, the back end, and the case as reports name it. */
type NamedCase = {readonly name: string; readonly key: string};

function namedCases(options: RunOptions): readonly NamedCase[] {
	const {rules: {source, backend}, scenario} = options;
	const suite = nameOfSuite({source, backend, scenario: scenario?.name});
	return casesOf(questionOf(options, defaultTopology)).map(({id, name, probe: {family}}) => ({
		name: `${suite}: ${nameOfCase({id, name, family}, scenario === undefined ? 'type' : 'probe')}`, key: keyOfCase({id, family}),
	}));
}

/** How a list names the rules or the scenario of a run. */
export function nameOfSuite({source, backend, scenario}: {readonly source: string; readonly backend: string; readonly scenario?: string | undefined}): string {
	return `${scenario ?? source}, ${backend}`;
}

/** How many cases the runs have. */
export function countCases(inputs: readonly RunOptions[]): number {
	return inputs.reduce((sum, options) => sum + casesOf(questionOf(options, defaultTopology)).length, 0);
}

/**
The cases whose names match a regular expression, and the runs that have any of them. All others are not run, and so are not part of the report; standard error says how many these are.

@throws {TestbedError} USAGE if no case matches.
*/
export function selectCases({inputs, missing}: SelectedRuns, filter: string | undefined): SelectedRuns {
	if (filter === undefined) {
		return {inputs, missing};
	}

	const expression = new RegExp(filter, 'u');
	const named = inputs.map(options => namedCases(options));
	const all = named.flat();
	const chosen = named.map(cases => cases.filter(({name}) => expression.test(name)));
	const count = chosen.flat().length;
	if (count === 0) {
		throw new TestbedError('USAGE', {
			message: `--filter ${filter}: it matches none of the ${all.length} cases${all.length === 0 ? '' : `, such as "${all[0]!.name}"`}.`, state: 'Nothing was run.', hint: `List all cases: ${commandLine('run --list …')}`,
		});
	}

	if (count < all.length) {
		remark(`testbed: --filter chooses ${count} of ${all.length} cases; the others are not run.\n`);
	}

	return {
		inputs: inputs.flatMap((options, index) => {
			const keys = chosen[index]!.map(({key}) => key);
			return keys.length === 0 ? [] : [keys.length === named[index]!.length ? options : onlyThese(options, keys)];
		}),
		missing: missing.filter(run => expression.test(nameOfSuite(run))),
	};
}

function onlyThese(options: RunOptions, keys: readonly string[]): RunOptions {
	const {scenario} = options;
	if (scenario === undefined) {
		return {...options, only: keys};
	}

	const cases = scenario.cases.filter(({id, probe: {family}}) => keys.includes(keyOfCase({id, family})));
	return {...options, families: [...new Set(cases.map(({probe}) => probe.family))], scenario: {...scenario, cases}};
}

/** Prints the names of all cases, one a line, and on standard error the runs that cannot be done. */
export async function listCases({inputs, missing}: SelectedRuns): Promise<number> {
	tell(missing.map(run => `testbed: ${nameOfSuite(run)} cannot be run: ${run.reason}\n`).join(''));
	await writeOut(inputs.flatMap(options => namedCases(options)).map(({name}) => `${name}\n`).join(''));
	return 0;
}

/** Options that make no sense for a list, because nothing is run. */
const notForLists = ['output', 'record', 'pcap', 'keep', 'keepFor', 'shard', 'shardOutput', 'shardTimes', 'bail', 'check', 'watch'] as const;

/**
Refuses options that cannot be used with `--list`.

@throws {TestbedError} USAGE.
*/
export function refuseWithList(flags: Partial<Record<(typeof notForLists)[number] | 'list', unknown>>): void {
	const wrong = flags.list === undefined ? undefined : notForLists.find(name => flags[name] !== undefined);
	if (wrong !== undefined) {
		const option = optionOf(wrong);
		throw new TestbedError('USAGE', {message: `--list runs nothing, so ${option} cannot be used with it.`, hint: `Omit ${option}, or --list.`});
	}
}
