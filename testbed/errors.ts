/**
Errors that a user can do something about. Each knows the exit status that it leads to (docs/formats.md, "Exit status").
*/

import {visibleForeign} from '../src/parsing/visible-text.js';

/** What went wrong, as a stable code that documentation can link to. */
export type ErrorCode =
	| 'USAGE' | 'INPUT' | 'RULES_REJECTED'
	| 'MACHINE' | 'MISSING_PROGRAM' | 'COMMAND_FAILED' | 'SYSCALL_FAILED' | 'ACTOR_FAILED' | 'INTERRUPTED';

/** The exit status of each code: 2 usage or input, 3 nothing was proven, 4 the machine cannot do it. Status 1 belongs to results: something was asked of the kernel and did not hold. */
export const exitStatusOf = {
	USAGE: 2,
	INPUT: 2,
	RULES_REJECTED: 2,
	MACHINE: 4,
	MISSING_PROGRAM: 4,
	COMMAND_FAILED: 4,
	SYSCALL_FAILED: 4,
	ACTOR_FAILED: 3,
	INTERRUPTED: 130,
} as const satisfies Readonly<Record<ErrorCode, number>>;

/**
The exit status of a fault of the testbed itself, of errors that nobody foresaw: inconclusive. Nothing was proven by such a run, so it must not say that something failed (1), nor that the user or the machine is to blame (2, 4).
*/
export const faultStatus = 3;

/** What was tried and what came back (`message`), what stands now (`state`), and what to do (`hint`). */
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

/** An error for a terminal: message, state and hint on lines of their own. What it quotes cannot act on the terminal. */
export function printError(error: unknown): string {
	if (error instanceof TestbedError) {
		return visibleForeign([`testbed: ${error.message}`, error.state, error.hint === undefined ? undefined : `→ ${error.hint}`].filter(line => line !== undefined).join('\n'));
	}

	return visibleForeign(`testbed: This is a fault of the testbed: ${error instanceof Error ? error.message || error.name : String(error)}`);
}

/** What the one who reports a fault of the testbed needs to tell. */
export type FaultContext = {readonly argv: readonly string[]; readonly version: string; readonly node: string; readonly isStackWanted: boolean};

/** An error that nobody foresaw, for a terminal: one sentence, and what to report. The stack only where somebody asks for it, for a bundle's stack shows whole lines of minified code. */
export function printFault(error: unknown, {argv, version, node, isStackWanted}: FaultContext): string {
	const stack = error instanceof Error ? error.stack : undefined;
	return [
		printError(error),
		'Nothing was proven by this run.',
		`→ Please report it with this message, the command (testbed ${argv.join(' ')}), and the versions (testbed ${version}, Node ${node}).${isStackWanted ? '' : ' TESTBED_DEBUG=1 adds the stack.'}`,
		...(isStackWanted && stack !== undefined ? [stack] : []),
	].join('\n');
}
