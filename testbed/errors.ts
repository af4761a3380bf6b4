/**
Errors that a user can act on. Each has a code that determines the exit status (docs/formats.md, "Exit status").
*/

import {cutText} from '../src/report/terminal/cut.js';
import {visibleForeign} from '../src/parsing/visible-text.js';

/** What went wrong, as a stable code that documentation can link to. */
export type ErrorCode =
	| 'USAGE' | 'INPUT' | 'RULES_REJECTED' | 'LIMIT' | 'UNREADABLE' | 'UNMAPPED' | 'NOT_TRIED'
	| 'MACHINE' | 'MISSING_PROGRAM' | 'COMMAND_FAILED' | 'SYSCALL_FAILED' | 'ACTOR_FAILED' | 'INTERRUPTED';

/** The exit status of each code: 2 usage or input, 3 inconclusive, 4 the machine cannot do it. Status 1 is for results only: the kernel was asked, and an expectation failed. */
export const exitStatusOf = {
	USAGE: 2,
	INPUT: 2,
	RULES_REJECTED: 2,
	LIMIT: 3,
	// A live pod that could not be read: whether it has the right rules is not known.
	UNREADABLE: 3,
	// A user that does not exist in this user namespace: what it would have seen is not known.
	UNMAPPED: 3,
	// A kernel that could not be booted here: what it would have shown is not known.
	NOT_TRIED: 3,
	MACHINE: 4,
	MISSING_PROGRAM: 4,
	COMMAND_FAILED: 4,
	SYSCALL_FAILED: 4,
	ACTOR_FAILED: 3,
	INTERRUPTED: 130,
} as const satisfies Readonly<Record<ErrorCode, number>>;

/**
The exit status of a bug in the testbed itself (an unexpected error): inconclusive. Such a run proves nothing, so it must not report a failure (1), nor blame the user or the machine (2, 4).
*/
export const faultStatus = 3;

/** An error with what was tried and what came back (`message`), the resulting state (`state`), and what to do (`hint`). */
export class TestbedError extends Error {
	override readonly name = 'TestbedError';
	readonly code: ErrorCode;
	readonly state: string | undefined;
	readonly hint: string | undefined;

	constructor(code: ErrorCode, {message, state, hint, cause}: {readonly message: string; readonly state?: string; readonly hint?: string; readonly cause?: unknown}) {
		super(message, cause === undefined ? undefined : {cause});
		this.code = code;
		this.state = state;
		this.hint = hint;
	}
}

/** The longest error message in characters: about one screen. */
const messageMax = 4000;

/** An error for a terminal: message, state and hint on separate lines. Control sequences in quoted text are made visible. */
export function printError(error: unknown): string {
	if (error instanceof TestbedError) {
		return visibleForeign([`testbed: ${cutText(error.message, {max: messageMax, more: ''})}`, error.state, error.hint === undefined ? undefined : `→ ${error.hint}`].filter(line => line !== undefined).join('\n'));
	}

	return visibleForeign(`testbed: Internal error: ${error instanceof Error ? error.message || error.name : String(error)}`);
}

/** What a bug report about the testbed needs to say. */
export type FaultContext = {readonly argv: readonly string[]; readonly version: string; readonly node: string; readonly isStackWanted: boolean};

/** An unexpected error for a terminal: one sentence, and what to report. The stack is printed only on request, because a bundle's stack shows whole lines of minified code. */
export function printFault(error: unknown, {argv, version, node, isStackWanted}: FaultContext): string {
	const stack = error instanceof Error ? error.stack : undefined;
	return [
		printError(error),
		'This run proves nothing.',
		`→ This is a bug in the testbed. Please report it with this message, the command (testbed ${argv.join(' ')}), and the versions (testbed ${version}, Node ${node}).${isStackWanted ? '' : ' TESTBED_DEBUG=1 adds the stack.'}`,
		...(isStackWanted && stack !== undefined ? [stack] : []),
	].join('\n');
}
