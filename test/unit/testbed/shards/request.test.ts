/** Which shard it is, from options and from what job engines say; and every way to say it wrong. */

import {mkdirSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {TestbedError} from '../../../../testbed/errors.js';
import {shardRequestOf, type ShardFlags} from '../../../../testbed/shards/request.js';

const shard = {index: 3, count: 16};

test('without the options nothing is cut, whatever the environment says', t => {
	t.is(shardRequestOf({}, {JOB_COMPLETION_INDEX: '0', JOB_COMPLETIONS: '4', CI_NODE_INDEX: '1', CI_NODE_TOTAL: '4'}), undefined);
});

const given: ReadonlyArray<readonly [title: string, flags: ShardFlags, environment: Readonly<Record<string, string>>, expected: unknown]> = [
	['by the option', {shard, shardOutput: 'a.shard', shardTimes: 't.json'}, {}, {shard, file: 'a.shard', times: 't.json'}],
	['by the option, against the environment', {shard, shardOutput: 'a.shard'}, {CI_NODE_INDEX: '1', CI_NODE_TOTAL: '2'}, {shard, file: 'a.shard', times: undefined}],
	['by Kubernetes, which counts from 0', {shardOutput: 'a.shard'}, {JOB_COMPLETION_INDEX: '0', JOB_COMPLETIONS: '4'}, {shard: {index: 1, count: 4}, file: 'a.shard', times: undefined}],
	['the last by Kubernetes', {shardOutput: 'a.shard'}, {JOB_COMPLETION_INDEX: '3', JOB_COMPLETIONS: '4'}, {shard: {index: 4, count: 4}, file: 'a.shard', times: undefined}],
	['by GitLab, which counts from 1', {shardOutput: 'a.shard'}, {CI_NODE_INDEX: '1', CI_NODE_TOTAL: '4'}, {shard: {index: 1, count: 4}, file: 'a.shard', times: undefined}],
	['in a folder that is yet to be made', {shard, shardOutput: 'out/'}, {}, {shard, file: 'out/shard-03-of-16.shard', times: undefined}],
];
for (const [title, flags, environment, expected] of given) {
	test(`a shard ${title}`, t => {
		t.deepEqual(shardRequestOf(flags, environment) as unknown, expected);
	});
}

test('a folder that is there', async t => {
	const {path: folder, cleanup} = await dir({prefix: 'testbed-shards-', unsafeCleanup: true});
	mkdirSync(path.join(folder, 'out'));
	t.is(shardRequestOf({shard, shardOutput: path.join(folder, 'out')}, {})!.file, path.join(folder, 'out/shard-03-of-16.shard'));
	await cleanup();
});

const wrong: ReadonlyArray<readonly [title: string, flags: ShardFlags, environment: Readonly<Record<string, string>>, message: RegExp]> = [
	['a shard without a file', {shard}, {}, /^--shard needs --shard-output: /u],
	['times without a shard', {shardTimes: 't.json'}, {}, /^--shard-times needs --shard-output: /u],
	['an empty name', {shard, shardOutput: ''}, {}, /^--shard-output is empty \(an unset variable\?\)\.$/u],
	['a file without a shard', {shardOutput: 'a'}, {}, /^--shard-output needs --shard, because the environment does not say which shard this is: neither JOB_COMPLETION_INDEX \(Kubernetes\) nor CI_NODE_INDEX \(GitLab\) is set\.$/u],
	['variables that are empty', {shardOutput: 'a'}, {JOB_COMPLETION_INDEX: '', CI_NODE_INDEX: ''}, /^--shard-output needs --shard, /u],
	['Kubernetes without the number of shards', {shardOutput: 'a'}, {JOB_COMPLETION_INDEX: '2'}, /^JOB_COMPLETION_INDEX is 2, but JOB_COMPLETIONS, the number of shards, is not set\.$/u],
	['GitLab without the number of shards', {shardOutput: 'a'}, {CI_NODE_INDEX: '2'}, /^CI_NODE_INDEX is 2, but CI_NODE_TOTAL, the number of shards, is not set\.$/u],
	['an index of Kubernetes that is too large', {shardOutput: 'a'}, {JOB_COMPLETION_INDEX: '4', JOB_COMPLETIONS: '4'}, /^JOB_COMPLETION_INDEX=4 and JOB_COMPLETIONS=4 are not a shard: expected whole numbers, the first from 0 to JOB_COMPLETIONS − 1\.$/u],
	['an index of GitLab that is too small', {shardOutput: 'a'}, {CI_NODE_INDEX: '0', CI_NODE_TOTAL: '4'}, /^CI_NODE_INDEX=0 and CI_NODE_TOTAL=4 are not a shard: expected whole numbers, the first from 1 to CI_NODE_TOTAL\.$/u],
	['an index that is a word', {shardOutput: 'a'}, {CI_NODE_INDEX: 'one', CI_NODE_TOTAL: '4'}, /^CI_NODE_INDEX=one and /u],
	['two engines', {shardOutput: 'a'}, {JOB_COMPLETION_INDEX: '0', JOB_COMPLETIONS: '4', CI_NODE_INDEX: '2', CI_NODE_TOTAL: '4'}, /^The environment names two shards: 1\/4 by JOB_COMPLETION_INDEX \(Kubernetes\) and 2\/4 by CI_NODE_INDEX \(GitLab\)\.$/u],
];
for (const [title, flags, environment, message] of wrong) {
	test(`refused: ${title}`, t => {
		const error = t.throws(() => shardRequestOf(flags, environment), {instanceOf: TestbedError, message});
		t.is(error.code, 'USAGE');
		t.is(error.state, 'Nothing was run.');
	});
}
