/**
The confined rule tools as the rest of the testbed uses them: text in, text out.
*/

import {closeSync} from 'node:fs';
import {Worker} from 'node:worker_threads';
import {TestbedError} from '../errors.js';
import {missingProgram} from '../system/missing-program.js';
import {hintOfShortage} from '../system/shortage.js';
import {startThread} from '../system/start-thread.js';
import {ownNetnsDescriptor} from '../syscalls/netns.js';
import {createWaker, wake} from '../syscalls/poll.js';
import {createMemoryFile, fillMemoryFile, readMemoryFile} from '../syscalls/memory-file.js';
import type {UnusableProgram} from './programs.js';
import type {ToolAnswer, ToolRequest, ToolThreadInput, ToolThreadStart} from './protocol.js';
import type {StandingWalls} from './walls.js';

/** How the tools are confined, and which of them cannot be run confined. */
export type Confinement = {readonly walls: StandingWalls; readonly unusable: readonly UnusableProgram[]};

/** One program to run, with a time limit. */
export type ToolRun = Pick<ToolRequest, 'program' | 'arguments' | 'netns' | 'timeoutMs'> & Partial<Pick<ToolRequest, 'environment' | 'inherited'>> & {readonly input?: string | undefined};

/** How a program ended and what it printed. A program that took too long was killed. */
export type ToolEnd = Omit<Ended, 'type' | 'id'> & {readonly stdout: string; readonly stderr: string};

type Ended = Extract<ToolAnswer, {readonly type: 'ended'}>;
type Answered = Extract<ToolAnswer, {readonly id: number}>;
type Waiting = {readonly resolve: (answer: Answered) => void; readonly reject: (error: Error) => void};

function unconfinable(reason: string, hint = 'Run it as root with CAP_SYS_ADMIN. A container needs `--privileged`, or that capability and a security profile that allows mount.'): TestbedError {
	return new TestbedError('MACHINE', {
		message: `The rule tools cannot be confined on this machine: ${reason}`,
		state: 'No tool was run on the rules.',
		hint,
	});
}

/** Longest wait for the start of a program, in milliseconds: a thread that has died never answers. */
const startMs = 10_000;

/** A handle on the tool thread. It keeps the process alive only while a tool runs. */
export class ConfinedTools implements AsyncDisposable {
	readonly #confinement: Promise<Confinement>;
	readonly #worker: Worker;
	readonly #waiting = new Map<number, Waiting>();
	readonly #started = new Int32Array(new SharedArrayBuffer(4));
	readonly #waker = createWaker();
	#lastId = 0;
	#failure: Error | undefined;
	#uses = 0;

	/** Starts the thread, or takes over one that was started with the defaults. It is first waited for when a tool runs. */
	constructor(thread: ToolThreadInput | Worker = {}) {
		this.#worker = thread instanceof Worker
			? thread
			: startThread(new URL('tool-thread.js', import.meta.url), {
				workerData: thread, execArgv: [], trackUnmanagedFds: false, resourceLimits: {maxYoungGenerationSizeMb: 4},
			});
		const start: ToolThreadStart = {ownNetns: ownNetnsDescriptor(), started: this.#started, waker: this.#waker};
		this.#worker.postMessage(start);
		this.#confinement = new Promise((resolve, reject) => {
			const fail = (error: Error): void => {
				this.#failure ??= error;
				reject(error);
				for (const waiting of this.#waiting.values()) {
					waiting.reject(error);
				}
			};

			this.#worker.on('message', (answer: ToolAnswer) => {
				if (answer.type === 'ready') {
					resolve(answer);
				} else if (answer.type === 'failed') {
					fail(unconfinable(answer.message, answer.hint ?? hintOfShortage(answer.message)));
				} else {
					this.#waiting.get(answer.id)?.resolve(answer);
				}
			});
			this.#worker.on('error', fail);
			this.#worker.on('exit', () => {
				fail(new TestbedError('SYSCALL_FAILED', {message: 'The thread that starts the rule tools ended unexpectedly.', hint: 'Run it again.'}));
			});
		});
		// After adding the listeners: a message listener refs the worker again.
		this.#worker.unref();
		// A failure is reported to whoever runs a tool.
		void Promise.allSettled([this.#confinement]);
	}

	/**
	How the tools are confined on this machine.

	@throws {TestbedError} MACHINE if they cannot be confined; then no tool is run.
	*/
	async loadConfinement(): Promise<Confinement> {
		this.#use(1);
		try {
			return await this.#confinement;
		} finally {
			this.#use(-1);
		}
	}

	/**
	Runs a program confined and waits for its end.

	@throws {TestbedError} MISSING_PROGRAM if it is not on this machine; MACHINE if tools cannot be confined, or the program cannot be run confined.
	*/
	async run({program, input = '', environment = {}, inherited = [], ...rest}: ToolRun): Promise<ToolEnd> {
		this.#use(1);
		const channels: number[] = [];
		try {
			const {unusable} = await this.#confinement;
			const reason = unusable.find(({name}) => name === program)?.reason;
			if (reason !== undefined) {
				throw new TestbedError('MACHINE', {message: `${program} cannot be run confined: ${reason}.`, hint: 'Put the folder of the program itself first in PATH.'});
			}

			channels.push(createMemoryFile(), createMemoryFile(), createMemoryFile());
			const [stdin, stdout, stderr] = channels as [number, number, number];
			fillMemoryFile(stdin, input);
			const {type, id, ...end} = await this.#ask({
				...rest, program, environment, inherited, channels: [stdin, stdout, stderr],
			});
			return {...end, stdout: readMemoryFile(stdout), stderr: readMemoryFile(stderr)};
		} finally {
			for (const channel of channels) {
				closeSync(channel);
			}

			this.#use(-1);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#worker.terminate();
		closeSync(this.#waker);
	}

	async #ask(request: Omit<ToolRequest, 'id'>): Promise<Ended> {
		const id = ++this.#lastId;
		const {program} = request;
		try {
			const answer = await new Promise<Answered>((resolve, reject) => {
				this.#waiting.set(id, {resolve, reject});
				this.#start({...request, id});
			});
			if (answer.type === 'ended') {
				return answer;
			}

			throw answer.type === 'absent' ? missingProgram(program) : new TestbedError('MACHINE', {message: `${program} could not be started: ${answer.message}.`});
		} finally {
			this.#waiting.delete(id);
		}
	}

	/**
	Has the thread start a program, and blocks this thread until it has. Between fork and exec the child holds copies of all descriptors of this process: a socket closed meanwhile would stay open, bound to its port, log group or namespace (seen: a log group that was still taken).
	*/
	#start(request: ToolRequest): void {
		if (this.#failure !== undefined) {
			throw this.#failure;
		}

		Atomics.store(this.#started, 0, 0);
		this.#worker.postMessage(request);
		wake(this.#waker);
		Atomics.wait(this.#started, 0, 0, startMs);
	}

	/** Counts uses: the thread keeps the process alive only while it is used. */
	#use(change: 1 | -1): void {
		this.#uses += change;
		if (this.#uses === 0) {
			this.#worker.unref();
		} else {
			this.#worker.ref();
		}
	}
}
