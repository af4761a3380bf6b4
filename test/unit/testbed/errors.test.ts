import test from 'ava';
import {
	exitStatusOf, faultStatus, printError, printFault, TestbedError,
} from '../../../testbed/errors.js';

const rows: ReadonlyArray<readonly [title: string, error: unknown, text: string | RegExp]> = [
	['a message alone', new TestbedError('MACHINE', {message: 'No.'}), 'testbed: No.'],
	['message, state and hint', new TestbedError('INPUT', {message: 'No.', state: 'Nothing was done.', hint: 'Do it.'}), 'testbed: No.\nNothing was done.\n→ Do it.'],
	['message and hint', new TestbedError('INPUT', {message: 'No.', hint: 'Do it.'}), 'testbed: No.\n→ Do it.'],
	['an unexpected error, without its stack', new TypeError('bad'), 'testbed: Internal error: bad'],
	['an error without a message', Object.assign(new TypeError('x'), {message: ''}), 'testbed: Internal error: TypeError'],
	['a value that is not an Error', 'text', 'testbed: Internal error: text'],
	['nothing', undefined, 'testbed: Internal error: undefined'],
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
		USAGE: 2, INPUT: 2, RULES_REJECTED: 2, LIMIT: 3, UNREADABLE: 3, UNMAPPED: 3, NOT_TRIED: 3, MACHINE: 4, MISSING_PROGRAM: 4, COMMAND_FAILED: 4, SYSCALL_FAILED: 4,
		ACTOR_FAILED: 3, INTERRUPTED: 130,
	});
});

test('an internal error: what to report, and the stack only on request', t => {
	const context = {argv: ['run', '--types', '1'], version: '0.1.0', node: '20.19.0'};
	const short = printFault(new TypeError('bad'), {...context, isStackWanted: false});
	t.is(short, [
		'testbed: Internal error: bad',
		'This run proves nothing.',
		'→ This is a bug in the testbed. Please report it with this message, the command (testbed run --types 1), and the versions (testbed 0.1.0, Node 20.19.0). TESTBED_DEBUG=1 adds the stack.',
	].join('\n'));
	t.regex(printFault(new TypeError('bad'), {...context, isStackWanted: true}), /Node 20\.19\.0\)\.\nTypeError: bad\n +at /u);
	t.regex(printFault('text', {...context, isStackWanted: true}), /Internal error: text\n[^\n]+\n→ [^\n]+$/u);
});

test('an internal error is inconclusive: it is not a result, nor blamed on the user or the machine', t => {
	t.is(faultStatus, 3);
});
