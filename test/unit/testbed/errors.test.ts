import test from 'ava';
import {exitStatusOf, printError, TestbedError} from '../../../testbed/errors.js';

const rows: ReadonlyArray<readonly [title: string, error: unknown, text: string | RegExp]> = [
	['a message alone', new TestbedError('MACHINE', {message: 'No.'}), 'testbed: No.'],
	['message, state and hint', new TestbedError('INPUT', {message: 'No.', state: 'Nothing was done.', hint: 'Do it.'}), 'testbed: No.\nNothing was done.\n→ Do it.'],
	['message and hint', new TestbedError('INPUT', {message: 'No.', hint: 'Do it.'}), 'testbed: No.\n→ Do it.'],
	['an error of nobody in particular, with its stack', new TypeError('bad'), /^testbed: TypeError: bad\n +at /u],
	['an error without a stack', Object.assign(new Error('bare'), {stack: undefined}), 'testbed: bare'],
	['something that is no error', 'text', 'testbed: text'],
	['nothing', undefined, 'testbed: undefined'],
];

for (const [title, error, text] of rows) {
	test(`an error for a terminal: ${title}`, t => {
		const printed = printError(error);
		if (typeof text === 'string') {
			t.is(printed, text);
		} else {
			t.regex(printed, text);
		}
	});
}

test('an error keeps its code, its name and its cause', t => {
	const cause = new Error('first');
	const error = new TestbedError('USAGE', {message: 'second', cause});
	t.is(error.name, 'TestbedError');
	t.is(error.code, 'USAGE');
	t.is(error.cause, cause);
	t.false('cause' in new TestbedError('USAGE', {message: 'second'}));
});

test('exit statuses: 2 for what the user wrote, 3 for what cannot be concluded, 4 for the machine', t => {
	t.deepEqual(exitStatusOf, {
		USAGE: 2, INPUT: 2, RULES_REJECTED: 2, MACHINE: 4, MISSING_PROGRAM: 4, COMMAND_FAILED: 4, SYSCALL_FAILED: 4, ACTOR_FAILED: 3, INTERRUPTED: 130,
	});
});
