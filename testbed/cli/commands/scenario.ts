/**
`testbed run FILE.yaml`: the user's own traffic.
*/

import {TestbedError} from '../../errors.js';
import type {RunOptions} from '../../run/options.js';
import {loadScenario, namesScenario, scenarioFiles} from '../../inputs/scenarios.js';
import {shareActors} from '../../run/share-actors.js';
import {checkOutputFlags, scenarioInputs} from '../output/output-files.js';
import {supervise} from '../supervise.js';
import {credentialsOf} from '../../inputs/credentials.js';
import {optionsOf, runAndPrint, type RunFlags} from './run.js';

/** The options that a scenario says itself. */
const ownWords = new Set(['--rules', '--rules6', '--family', '--dns-servers', '--cni', '--release', '--types', '--proxy-uid', '--proxy-gid', '--agent-uid', '--agent-gid', '--app-uid', '--app-gid']);

/** Plays the files and prints; returns the exit status. `given` are the options that the command line names. */
export async function scenarioCommand(words: readonly string[], {flags, given}: {readonly flags: RunFlags; readonly given: readonly string[]}): Promise<number> {
	const foreign = words.find(word => !namesScenario(word));
	if (foreign !== undefined) {
		throw new TestbedError('USAGE', {message: `"${foreign}" is not a scenario: name a file that ends in .yaml, .yml or .json, or a folder of them.`, hint: 'Name rules with --rules.'});
	}

	const own = given.find(option => ownWords.has(option));
	if (own !== undefined) {
		throw new TestbedError('USAGE', {message: `${own} does not work with a scenario: the file itself says what it runs with.`, hint: `Leave ${own} out, or put it into the file.`});
	}

	const loaded = scenarioFiles(words).map(file => loadScenario(file, {
		backends: flags.backend, allowModules: flags.allowModules, allowOutside: flags.allowOutside, credentialsOf: (intent, known) => credentialsOf(flags, intent, known),
	}));
	const prepared = loaded.flatMap(one => one.prepared);
	checkOutputFlags(flags, scenarioInputs(prepared.map(({rules, play: scenario}) => ({rules, scenario}))));
	return supervise(async supervision => {
		const inputs = prepared.map(({rules, play: ready}): RunOptions => ({
			...optionsOf(rules, {
				flags, supervision, isAlone: prepared.length === 1,
			}),
			families: [...new Set(ready.cases.map(({probe}) => probe.family))],
			types: [],
			scenario: ready,
		}));
		return runAndPrint({inputs: shareActors(inputs), missing: loaded.flatMap(one => one.missing)}, {flags, supervision});
	});
}
