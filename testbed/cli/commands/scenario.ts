/**
`testbed run FILE.yaml`: the user's own traffic.
*/

import {TestbedError} from '../../errors.js';
import type {RunOptions} from '../../run/options.js';
import {namesScenario, scenarioFiles} from '../../inputs/scenario-words.js';
import {loadScenarios} from '../../inputs/scenarios.js';
import {checkOutputFlags, scenarioInputs} from '../output/output-files.js';
import {supervise} from '../supervise.js';
import {credentialsOf} from '../../inputs/credentials.js';
import {Checks, refuseWithCheck} from '../check/checks.js';
import type {Rounds} from '../watch/rounds.js';
import {
	chooseProxy, optionsOf, selectAndRun, shardOfRun, type RunFlags,
} from './run.js';
import {refuseWithList} from './select-cases.js';
import {shardFiles} from './shard-flags.js';

/** The options that a scenario file sets itself. */
const ownWords = new Set(['--rules', '--rules6', '--family', '--dns-servers', '--cni', '--release', '--types', '--proxy-uid', '--proxy-gid', '--agent-uid', '--agent-gid', '--app-uid', '--app-gid']);

/** Runs the files and prints the results; returns the exit status. `given` are the options on the command line; with `rounds`, it is a round of `--watch`. */
export async function scenarioCommand(words: readonly string[], {flags, given, rounds}: {
	readonly flags: RunFlags; readonly given: readonly string[]; readonly rounds?: Rounds | undefined;
}): Promise<number> {
	refuseWithList(flags);
	refuseWithCheck(flags);
	const checks = new Checks(flags);
	const foreign = words.find(word => !namesScenario(word));
	if (foreign !== undefined) {
		throw new TestbedError('USAGE', {message: `"${foreign}" is not a scenario; expected a file that ends in .yaml, .yml or .json, or a folder of them.`, hint: 'Pass rules with --rules.'});
	}

	const own = given.find(option => ownWords.has(option));
	if (own !== undefined) {
		throw new TestbedError('USAGE', {message: `${own} cannot be used with a scenario, because the file sets it.`, hint: `Omit ${own}, or set it in the file.`});
	}

	const proxy = await checks.wait(async () => chooseProxy(flags));
	const loaded = checks.do(() => loadScenarios(scenarioFiles(words), {
		backends: flags.backend, allowModules: flags.allowModules, allowOutside: flags.allowOutside, credentialsOf: (intent, known) => credentialsOf(flags, intent, known), isForCheck: checks.isOnly,
	})) ?? [];
	const prepared = loaded.flatMap(one => one.prepared);
	const shard = shardOfRun(flags);
	const {inputs: read, outputs} = shardFiles(shard);
	const readFiles = scenarioInputs(prepared.map(({rules, play: scenario}) => ({rules, scenario})));
	rounds?.reads(readFiles.map(({file}) => file));
	checks.do(() => {
		checkOutputFlags(flags, [...readFiles, ...read], outputs);
	});
	checks.end();
	return supervise(async supervision => {
		const inputs = prepared.map(({rules, play: ready}): RunOptions => ({
			...optionsOf(rules, {
				flags, supervision, proxy, isAlone: prepared.length === 1,
			}),
			families: [...new Set(ready.cases.map(({probe}) => probe.family))],
			types: [],
			scenario: ready,
		}));
		return selectAndRun({inputs, missing: loaded.flatMap(one => one.missing)}, {
			flags, shard, supervision, scenarios: words, rounds,
		});
	});
}
