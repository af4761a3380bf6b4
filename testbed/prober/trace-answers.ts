/**
Traces the answers to TCP as well while something is sent. Usually only first packets are traced: an answer costs a second set of messages, and is needed only where it does not come back.
*/

import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import type {Netns} from '../sandbox/netns.js';
import type {ProbeAnswer} from './options.js';
import {answersText, noAnswersText} from './trace-table.js';

/** Whether some connection got no answer, so that the trace of the answer may show more. */
export function isAnySilent(indices: readonly number[], requests: readonly ProbeRequest[], answers: readonly ProbeAnswer[]): boolean {
	return indices.some(index => requests[index]!.protocol === 'tcp' && answers[index]!.gaps.some(({kind}) => kind === 'no-end'));
}

/** Calls a function while answers are traced. */
export async function tracingAnswers(netns: Netns, act: () => Promise<void>): Promise<void> {
	await netns.runConfined('nft', ['-f', '-'], {input: answersText});
	try {
		await act();
	} finally {
		await netns.runConfined('nft', ['-f', '-'], {input: noAnswersText});
	}
}
