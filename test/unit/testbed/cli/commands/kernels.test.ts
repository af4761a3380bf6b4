/** Which words are series and which are the command for the guests. */

import test from 'ava';
import {splitWords} from '../../../../../testbed/cli/commands/kernels.js';
import {TestbedError} from '../../../../../testbed/errors.js';

const commands = ['run', 'probe', 'diff', 'kernels', 'serve'];

test('series, then a command', t => {
	t.deepEqual(splitWords(['5.10', '6.1', '5.10'], undefined, commands), {series: ['5.10', '6.1'], command: ['run', '--backend', 'all']});
	t.deepEqual(splitWords(['6.1', 'diff', 'a', 'b'], 3, commands), {series: ['6.1'], command: ['diff', 'a', 'b']});
	t.deepEqual(splitWords(['6.1', '--types', '1'], 2, commands), {series: ['6.1'], command: ['--types', '1']});
	t.deepEqual(splitWords(['6.1'], 0, commands), {series: ['6.1'], command: ['run', '--backend', 'all']});
});

for (const [words, after, message] of [
	[['run'], 1, 'No kernel is named before --.'],
	[['6.1', 'rnu'], 1, 'There is no command "rnu" to run in the guests. Did you mean run?'],
	[['6.1', 'serve'], 1, 'serve cannot be run in a guest: there is nobody there to use it.'],
	[['6.1', 'kernels', '6.1'], 2, 'kernels cannot be run in a guest: there is nobody there to use it.'],
	[['6.1', 'run'], undefined, '"run" is not a kernel series: two numbers, such as 6.12, or newest.'],
] as const) {
	test(`${words.join(' ')}, ${after} after the dashes: ${message}`, t => {
		const error = t.throws(() => splitWords(words, after, commands), {instanceOf: TestbedError});
		t.is(error.code, 'USAGE');
		t.is(error.message, message);
		t.truthy(error.hint);
	});
}
