/**
Shards in tests: done one after the other, in a folder of the test's own, without what a job engine says in the environment.
*/

import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {dir} from 'tmp-promise';
import {testbed, type Ended} from './_cli.js';

/** An environment in which nothing says which shard this is. */
export const noEngine = {
	GITHUB_STEP_SUMMARY: '', JOB_COMPLETION_INDEX: '', JOB_COMPLETIONS: '', CI_NODE_INDEX: '', CI_NODE_TOTAL: '',
};

/** Runs the testbed in a test's folder. */
export type RunThere = (...given: readonly string[]) => Promise<Ended>;

/** Gives a test a folder of its own, and a way to run the testbed in it, or in a folder of it. */
export async function inFolder(act: (folder: string, run: RunThere, runIn: (below: string) => RunThere) => Promise<void>): Promise<void> {
	const {path: folder, cleanup} = await dir({prefix: 'testbed-shards-', unsafeCleanup: true});
	const runIn = (below: string): RunThere => async (...given) => testbed(given, {cwd: path.join(folder, below), env: noEngine});
	try {
		await act(folder, runIn('.'), runIn);
	} finally {
		await cleanup();
	}
}

/** Does all shards of a command, each of which passes or fails. */
export async function doAllShards(t: ExecutionContext, run: RunThere, {command, count, into, more = []}: {
	readonly command: readonly string[]; readonly count: number; readonly into: string; readonly more?: readonly string[];
}): Promise<void> {
	for (let index = 1; index <= count; index++) {
		const {exitCode, stderr} = await run(...command, '--shard', `${index}/${count}`, '--shard-output', into, ...more); // eslint-disable-line no-await-in-loop -- One machine does one shard at a time.
		t.true([0, 1].includes(exitCode!), stderr);
		t.regex(stderr, new RegExp(`testbed: shard ${index}/${count}: \\d+ of \\d+ pieces?, in ${into}shard-${index}-of-${count}\\.shard`, 'u'));
	}
}
