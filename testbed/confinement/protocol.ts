/**
The messages between the main thread and the tool thread.
*/

import type {UnusableProgram} from './programs.js';
import type {StandingWalls, WallName} from './walls.js';

/** What the thread is started with. */
export type ToolThreadInput = {
	/** The folders in which the programs are looked up, as in PATH; by default those of this process. */
	readonly searchPath?: string | undefined;
	/** By default, those that the testbed runs. */
	readonly programs?: readonly string[] | undefined;
	/** Restrictions that a test disables. */
	readonly without?: readonly WallName[] | undefined;
};

/** What the thread needs from whoever uses it: the first message. It has confined itself by then, or failed to. */
export type ToolThreadStart = {
	/** The machine's own network namespace, to which the thread returns. */
	readonly ownNetns: number;
	/** One number, which the thread sets to 1 once it has started a program; see `ConfinedTools`. */
	readonly started: Int32Array;
	/** Woken after each request, because the thread waits in the kernel while a tool runs. */
	readonly waker: number;
};

/** One program to run. Descriptors belong to this process and stay open until the program has ended. */
export type ToolRequest = {
	readonly id: number;
	readonly program: string;
	readonly arguments: readonly string[];
	readonly environment: Readonly<Record<string, string>>;
	/** The network namespace; undefined for the machine's own. */
	readonly netns: number | undefined;
	/** Standard input, output and error. */
	readonly channels: readonly [number, number, number];
	/** Descriptors that the program inherits under the numbers that they have here. */
	readonly inherited: readonly number[];
	/** After this time it is killed. */
	readonly timeoutMs: number;
};

/** The thread's answers: which restrictions are in place, or why confinement failed; how a program ended, or why it did not start. */
export type ToolAnswer =
	| {readonly type: 'ready'; readonly walls: StandingWalls; readonly unusable: readonly UnusableProgram[]}
	| {readonly type: 'failed'; readonly message: string; readonly hint: string | undefined}
	| {readonly type: 'ended'; readonly id: number; readonly exitCode: number | null; readonly signal: NodeJS.Signals | null; readonly timedOut: boolean}
	| {readonly type: 'absent'; readonly id: number}
	| {readonly type: 'not-started'; readonly id: number; readonly message: string};
