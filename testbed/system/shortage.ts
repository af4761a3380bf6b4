/**
Errors that say that this machine has run out of something: open files, processes and threads, or memory. They come from anywhere that opens a file or starts a process or thread, and are the machine's, not a bug in the testbed.
*/

import {TestbedError} from '../errors.js';

/** What is short, by the error's code, and what to do. */
const shortages: Readonly<Record<string, {readonly what: string; readonly hint: string}>> = {
	EMFILE: {what: 'This process may not open more files', hint: 'ulimit -n 1024'},
	ENFILE: {what: 'This machine may not open more files', hint: 'Raise the sysctl fs.file-max, or close other programs.'},
	EAGAIN: {what: 'No further process or thread may be started', hint: 'Raise the limits: ulimit -u, and pids.max of the control group.'},
	ENOMEM: {what: 'There is not enough memory', hint: 'Raise the limits (ulimit -v, memory.max of the control group), or close other programs.'},
	ERR_WORKER_OUT_OF_MEMORY: {what: 'There is not enough memory', hint: 'Raise the limits (ulimit -v, memory.max of the control group), or close other programs.'},
};

/** The code of a shortage in an error, or in a text that quotes one; undefined for any other error. A thread that cannot be started has the code ERR_WORKER_INIT_FAILED and the shortage as its message (Node 20). */
function shortageIn(error: unknown): string | undefined {
	const {code, syscall, message} = error as Partial<NodeJS.ErrnoException>;
	// EAGAIN from a read or write is no shortage.
	const text = `${code ?? ''} ${message ?? ''}`;
	return Object.keys(shortages).find(name => name === 'EAGAIN'
		? (code === name && syscall?.startsWith('spawn') === true) || message === name || /\bspawn(?:Sync)? \S+ EAGAIN\b/u.test(text)
		: code === name || new RegExp(String.raw`\b${name}\b`, 'u').test(message ?? ''));
}

/** What to do about a shortage that a text quotes; undefined if it quotes none. */
export function hintOfShortage(text: string): string | undefined {
	const found = shortageIn(new Error(text));
	return found === undefined ? undefined : shortages[found]!.hint;
}

/** The same error with a hint, if it has none and quotes a shortage. */
export function withShortageHint(error: TestbedError): TestbedError {
	const {code, message, state, hint = hintOfShortage(message)} = error;
	return hint === error.hint || hint === undefined
		? error
		: new TestbedError(code, {
			message, ...(state === undefined ? {} : {state}), hint, cause: error,
		});
}

/** An unexpected error as one of the machine, if it says that something is short; undefined for any other. */
export function shortageOf(error: unknown): TestbedError | undefined {
	if (!(error instanceof Error)) {
		return undefined;
	}

	const found = shortageIn(error);
	if (found === undefined) {
		return undefined;
	}

	const {what, hint} = shortages[found]!;
	return new TestbedError('MACHINE', {
		message: `${what}: ${error.message}.`, state: 'This run proves nothing.', hint, cause: error,
	});
}
