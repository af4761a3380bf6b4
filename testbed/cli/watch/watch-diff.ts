/**
`testbed diff --watch`.
*/

import type {Command} from 'commander';
import {diffCommand, type DiffFlags} from '../commands/diff.js';
import {ruleFiles} from '../output/output-files.js';
import {Rounds, type RoundCount} from './rounds.js';
import {refuseToWatch, watchRounds} from './watch.js';

/**
Compares again whenever one of the rule sets has changed, until a signal; returns the exit status of the last comparison.

@throws {TestbedError} as {@link watchRounds}, and USAGE for what cannot be watched.
*/
export async function watchDiff(command: Command, sources: readonly string[]): Promise<number> {
	const own: DiffFlags = command.opts();
	refuseToWatch(own, [...sources, own.from6, own.to6]);
	const rounds = new Rounds();
	return watchRounds<DiffFlags>({
		command,
		rounds,
		operands: ({from6, to6}) => ruleFiles([...sources.map(source => ['an input', source] as const), ['--from6', from6], ['--to6', to6]]).map(({file}) => file),
		async round(flags) {
			refuseToWatch(flags, [...sources, flags.from6, flags.to6]);
			await diffCommand(sources, flags, rounds);
			return describeComparison(rounds.count);
		},
	});
}

/** What a round came to. */
export function describeComparison({done, tally: {failed, inconclusive}}: RoundCount): string {
	if (done === 0) {
		return 'nothing that decides a result, so nothing was compared again';
	}

	return failed > 0 ? 'something moved' : (inconclusive > 0 ? 'inconclusive' : 'equal');
}
