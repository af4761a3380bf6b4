/**
The answers of all shards of `testbed probe --batch`, in the order of the lines.
*/

import {exitStatus} from '../../../src/judge/exit-status.js';
import type {Gathered} from '../../../src/sharding/gather.js';
import {normalizeReport} from '../../../src/sharding/normalize.js';
import {TestbedError} from '../../errors.js';
import {writeOutput} from '../../outputs/write.js';
import type {BatchAnswer} from '../../probe/answers.js';
import {wantedReports, type PrintFlags} from '../output/destinations.js';
import type {BlockAbout} from './batch-shard.js';

/** The text of the answers of a block without what differs from run to run. */
export function keyOfAnswers(result: unknown): string {
	return normalizeReport(JSON.stringify(result));
}

/**
Prints one line per probe, also for those of a missing shard, and returns the exit status.

@throws {TestbedError} USAGE for a format, INPUT if the file cannot be written.
*/
export async function mergeAnswers({question: {plan}, results, missing}: Gathered, flags: PrintFlags): Promise<number> {
	const [own, ...further] = wantedReports(flags);
	const wrong = [own, ...further].find(({format}) => format !== 'text') ?? further[0];
	if (wrong !== undefined) {
		throw new TestbedError('USAGE', {message: `The format ${wrong.format} is not for the shards of a batch: its answers are JSON lines.`, state: 'Nothing was merged.', hint: 'Omit --format, and write --output FILE.'});
	}

	const reasons = new Map(missing.map(({id, reason}) => [id, reason]));
	const answers = plan.flatMap(({id, about}): readonly BatchAnswer[] => {
		const result = results.get(id)?.result as readonly BatchAnswer[] | undefined;
		return result ?? Array.from({length: (about as BlockAbout).probes}, (): BatchAnswer => ({
			path: [], stops: [], outcome: 'inconclusive', gaps: [{kind: 'not-sent', message: reasons.get(id)!}],
		}));
	});
	await writeOutput(own.file, answers.map(answer => `${JSON.stringify(answer)}\n`).join(''), {what: 'The answers', state: 'The files of the shards are unchanged.'});
	const inconclusive = answers.filter(({outcome}) => outcome === 'inconclusive').length;
	return exitStatus({passed: answers.length - inconclusive, failed: 0, inconclusive});
}
