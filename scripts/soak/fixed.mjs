/**
The faults that the campaign has found and that are fixed. docs/reliability.md lists them (`npm run soak` writes it).

@type {ReadonlyArray<{part: string, fault: string, cause: string, test: string, title: string}>} `title`: a part of the test's title
*/
export const fixed = [
	{
		part: 'faults', fault: 'the thread that reads the trace was killed: the run waited forever', cause: 'it waited for a message of the thread, but not for its end; today no thread of its own reads the trace of a run',
		test: 'test/kernel/lost-threads.test.ts', title: 'ms after its start: the command ends with status 4 and says so',
	},
	{
		part: 'faults', fault: 'the thread that starts the tools was killed: the run said that it was a bug in the testbed', cause: 'its end was an unexpected error',
		test: 'test/kernel/lost-threads.test.ts', title: 'ms after its start: the command ends with status 4 and says so',
	},
	{
		part: 'faults', fault: 'a thread of `diff` was killed at its start: the command aborted with a stack trace', cause: 'koffi aborts the process if its thread is ended while it loads; the testbed did that, too, with a thread that was no longer needed',
		test: 'test/kernel/lost-threads.test.ts', title: 'a thread that is no longer needed is ended only after it has loaded',
	},
	{
		part: 'faults', fault: '44 threads and processes at most: the run waited forever', cause: 'Node hung in an actor\'s process before it ran the program, and waiting for the actor had no limit',
		test: 'test/kernel/lost-threads.test.ts', title: 'an actor that hangs while it starts is named after its time is over, and its process is gone',
	},
	{
		part: 'faults', fault: '10 to 28 threads and processes at most: processes of actors were left behind', cause: 'the same hang: such a process does not see that the run has ended',
		test: 'test/kernel/lost-threads.test.ts', title: 'a process of a run that is killed ends with it, even before its program runs and can see the end',
	},
	{
		part: 'faults', fault: '24 and 40 open files at most, 6 threads at most: the run said that it was a bug in the testbed', cause: 'errors for what is short on the machine were unexpected errors',
		test: 'test/kernel/lost-threads.test.ts', title: 'open files at most: the machine is named, not a bug in the testbed',
	},
];
