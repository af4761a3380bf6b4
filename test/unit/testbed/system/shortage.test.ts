import test from 'ava';
import {TestbedError} from '../../../../testbed/errors.js';
import {hintOfShortage, shortageOf, withShortageHint} from '../../../../testbed/system/shortage.js';

const of = (message: string, about: object = {}): Error => Object.assign(new Error(message), about);

const rows: ReadonlyArray<readonly [error: Error, message: string, hint: RegExp]> = [
	[of('EMFILE: too many open files, open \'/proc/x\'', {code: 'EMFILE', syscall: 'open'}), 'This process may not open more files: EMFILE: too many open files, open \'/proc/x\'.', /^ulimit -n 1024$/u],
	[of('socket failed: EMFILE'), 'This process may not open more files: socket failed: EMFILE.', /ulimit -n/u],
	[of('ENFILE: file table overflow, open', {code: 'ENFILE'}), 'This machine may not open more files: ENFILE: file table overflow, open.', /fs\.file-max/u],
	[of('spawn /usr/bin/node EAGAIN', {code: 'EAGAIN', syscall: 'spawn /usr/bin/node'}), 'No further process or thread may be started: spawn /usr/bin/node EAGAIN.', /pids\.max/u],
	[of('EAGAIN', {code: 'ERR_WORKER_INIT_FAILED'}), 'No further process or thread may be started: EAGAIN.', /pids\.max/u],
	[of('spawnSync /mount ENOMEM', {code: 'ENOMEM'}), 'There is not enough memory: spawnSync /mount ENOMEM.', /ulimit -v/u],
	[of('Worker terminated due to reaching memory limit', {code: 'ERR_WORKER_OUT_OF_MEMORY'}), 'There is not enough memory: Worker terminated due to reaching memory limit.', /ulimit -v/u],
];

for (const [error, message, hint] of rows) {
	test(`the machine is short of something: ${error.message}`, t => {
		const found = shortageOf(error);
		t.true(found instanceof TestbedError);
		t.is(found!.code, 'MACHINE');
		t.is(found!.message, message);
		t.is(found!.state, 'This run proves nothing.');
		t.regex(found!.hint ?? '', hint);
		t.is(found!.cause, error);
	});
}

test('any other error stays a bug in the testbed', t => {
	for (const error of [of('EAGAIN: resource temporarily unavailable, read', {code: 'EAGAIN', syscall: 'read'}), of('bad', {code: 'ENOENT'}), of('SOMEMFILE'), new TypeError('x is undefined')]) {
		t.is(shortageOf(error), undefined, error.message);
	}

	t.is(shortageOf('EMFILE'), undefined);
	t.is(shortageOf(undefined), undefined);
});

test('what to do about a shortage that a text quotes', t => {
	t.regex(hintOfShortage('mounting /proc for the tools failed: spawnSync /mount ENOMEM') ?? '', /ulimit -v/u);
	t.is(hintOfShortage('mount failed: EPERM'), undefined);
});

test('an error that quotes a shortage gets its hint, unless it has one', t => {
	const told = withShortageHint(new TestbedError('SYSCALL_FAILED', {message: 'memfd_create failed: EMFILE.', state: 'Nothing was sent.'}));
	t.like(told, {
		code: 'SYSCALL_FAILED', message: 'memfd_create failed: EMFILE.', state: 'Nothing was sent.', hint: 'ulimit -n 1024',
	});
	for (const same of [new TestbedError('INPUT', {message: 'EMFILE', hint: 'another'}), new TestbedError('INPUT', {message: 'wrong'})]) {
		t.is(withShortageHint(same), same);
	}
});
