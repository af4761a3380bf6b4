/** External programs: one that hangs is killed and named, and the lock file needs no name. */

import {readlinkSync} from 'node:fs';
import test from 'ava';
import {TestbedError} from '../../testbed/errors.js';
import {CommandError} from '../../testbed/system/commands.js';
import {run} from '../../testbed/system/exec.js';
import {LockFile} from '../../testbed/system/lock-file.js';

test('a program that hangs is stopped, and the message has its command line', async t => {
	// It ignores everything milder than SIGKILL.
	const error = await t.throwsAsync(run('sh', ['-c', 'trap "" TERM INT HUP; exec sleep 1000'], {timeoutMs: 300}), {instanceOf: TestbedError, code: 'MACHINE'});
	t.regex(error.message, /^`sh -c .*sleep 1000.*` did not finish within 0\.3 s and was killed\.$/u);
	t.regex(error.hint ?? '', /busy/u);
});

test('a program with much input has more time', async t => {
	t.is(await run('sh', ['-c', 'cat >/dev/null; sleep 1; echo done'], {timeoutMs: 1, input: 'x'.repeat(4 << 20)}), 'done');
	await t.throwsAsync(run('sh', ['-c', 'cat >/dev/null; exec sleep 1000'], {timeoutMs: 1, input: 'x'}), {code: 'MACHINE'});
});

test('a program that fails is not reported as one that hangs', async t => {
	await t.throwsAsync(run('sh', ['-c', 'echo no >&2; exit 3'], {timeoutMs: 60_000}), {instanceOf: CommandError, message: /status 3: no$/u});
});

test('the lock file has no name, other programs open it by its path, and it locks', async t => {
	await using lockFile = await LockFile.create();
	t.regex(readlinkSync(lockFile.path), /^\/memfd:testbed-lock/u);
	// One holds the lock while another asks for it without waiting.
	t.is(await run('flock', [lockFile.path, 'sh', '-c', 'flock --nonblock "$0" true; echo $?', lockFile.path]), '1');
	t.is(await run('flock', ['--nonblock', lockFile.path, 'echo', 'free']), 'free');
});
