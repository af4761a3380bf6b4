/**
`testbed run --watch`.
*/

import type {Command} from 'commander';
import {scenarioFiles} from '../../inputs/scenario-words.js';
import {runCommand, type RunFlags} from '../commands/run.js';
import {scenarioCommand} from '../commands/scenario.js';
import {ruleFiles} from '../output/output-files.js';
import {Rounds, type RoundCount} from './rounds.js';
import {refuseToWatch, watchRounds} from './watch.js';

/**
Runs again whatever has changed, until a signal; returns the exit status of everything as it ended last.

@throws {TestbedError} as {@link watchRounds}, and USAGE for what cannot be watched.
*/
export async function watchRun(command: Command, scenarios: readonly string[], given: readonly string[]): Promise<number> {
	const own: RunFlags = command.opts();
	refuseToWatch(own, [own.rules, own.rules6]);
	const rounds = new Rounds();
	return watchRounds<RunFlags>({
		command,
		rounds,
		operands: ({rules, rules6}) => [...ruleFiles([['--rules', rules], ['--rules6', rules6]]).map(({file}) => file), ...scenarios, ...filesIn(scenarios)],
		async round(flags) {
			refuseToWatch(flags, [flags.rules, flags.rules6]);
			await (scenarios.length === 0 ? runCommand(flags, rounds) : scenarioCommand(scenarios, {flags, given, rounds}));
			return describeCount(rounds.count);
		},
	});
}

/** The scenarios in folders, as they are now. A folder without any is told by the round. */
function filesIn(words: readonly string[]): readonly string[] {
	try {
		return scenarioFiles(words);
	} catch {
		return [];
	}
}

/** What a round came to. */
export function describeCount({done, all, tally: {passed, failed, inconclusive}}: RoundCount): string {
	return done === 0 ? 'nothing that decides a result, so nothing was run again' : `${done} of ${all} ${all === 1 ? 'run' : 'runs'}, ${passed} passed, ${failed} failed, ${inconclusive} inconclusive`;
}
