/**
`testbed run FILE.yaml`: the user's own traffic.
*/

import {TestbedError} from '../../errors.js';
import type {RunOptions} from '../../run/options.js';
import {namesScenario, scenarioFiles} from '../../inputs/scenario-words.js';
import {
	loadScenarios, ofScenarios, outlineScenario, type LoadedScenarios, type OutlinedScenario, type ScenarioRequest,
} from '../../inputs/scenarios.js';
import {drawsOne} from '../output/draw-one.js';
import {wantedReports} from '../output/destinations.js';
import {checkOutputFlags, inputsOfScenario, scenarioInputs} from '../output/output-files.js';
import {supervise} from '../supervise.js';
import {credentialsOf} from '../../inputs/credentials.js';
import {Checks, refuseWithCheck} from '../check/checks.js';
import type {Rounds} from '../watch/rounds.js';
import {
	chooseProxy, optionsOf, recorderOf, selectAndRun, shardOfRun, type RunFlags,
} from './run.js';
import {runShard} from './run-shard.js';
import {shardedScenarios} from './scenario-shard.js';
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
	const shard = shardOfRun(flags);
	const {inputs: read, outputs} = shardFiles(shard);
	const request: Omit<ScenarioRequest, 'backends' | 'rules'> = {
		allowModules: flags.allowModules, allowOutside: flags.allowOutside, credentialsOf: (intent, known) => credentialsOf(flags, intent, known), isForCheck: checks.isOnly,
	};
	const isCut = shard !== undefined && !needsAllCases(flags);
	const loaded = checks.do(() => loadAll(scenarioFiles(words), {request, backends: flags.backend, isCut})) ?? {prepared: [], missing: []};
	const readFiles = 'outlines' in loaded
		? loaded.outlines.flatMap(({file, source}) => inputsOfScenario(file, source))
		: scenarioInputs(loaded.prepared.map(({rules, play: scenario}) => ({rules, scenario})));
	rounds?.reads(readFiles.map(({file}) => file));
	checks.do(() => {
		checkOutputFlags(flags, [...readFiles, ...read], outputs);
	});
	checks.end();
	return supervise(async supervision => {
		const optionsFor = ({rules, play: ready}: Prepared, isAlone: boolean): RunOptions => ({
			...optionsOf(rules, {
				flags, supervision, proxy, isAlone,
			}),
			families: [...new Set(ready.cases.map(({probe}) => probe.family))],
			types: [],
			scenario: ready,
		});
		if ('outlines' in loaded) {
			const work = shardedScenarios(loaded.outlines, {words, request, optionsOf: one => optionsFor(one, false)});
			return runShard(work, shard!, {flags, supervision, recorder: recorderOf(flags)});
		}

		const inputs = loaded.prepared.map(one => optionsFor(one, loaded.prepared.length === 1));
		return selectAndRun({inputs, missing: loaded.missing}, {
			flags, shard, supervision, scenarios: words, rounds,
		});
	});
}

type Prepared = LoadedScenarios['prepared'][number];

/** Whether some option is about all cases of all shards, so that every shard has to plan them all. */
function needsAllCases(flags: RunFlags): boolean {
	return flags.filter !== undefined || wantedReports(flags).some(({format}) => drawsOne(format));
}

/** The scenarios with their rules; with `isCut` without them. */
function loadAll(files: readonly string[], {request, backends, isCut}: {readonly request: Omit<ScenarioRequest, 'backends'>; readonly backends: RunFlags['backend']; readonly isCut: boolean}): LoadedScenarios | {
	readonly outlines: readonly OutlinedScenario[];
} {
	if (isCut) {
		return {outlines: ofScenarios(files, file => outlineScenario(file, backends))};
	}

	const loaded = loadScenarios(files, {...request, backends});
	return {prepared: loaded.flatMap(one => one.prepared), missing: loaded.flatMap(one => one.missing)};
}
