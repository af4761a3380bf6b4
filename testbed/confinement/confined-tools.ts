/**
The rule tools behind their walls, as the rest of the testbed uses them: text in, text out.
*/

import {closeSync} from 'node:fs';
import {Worker} from 'node:worker_threads';
import {TestbedError} from '../errors.js';
import {missingProgram} from '../system/missing-program.js';
import {ownNetnsDescriptor} from '../syscalls/netns.js';
import {createMemoryFile, fillMemoryFile, readMemoryFile} from '../syscalls/memory-file.js';
import {confinedPrograms, type UnusableProgram} from './programs.js';
import type {ToolAnswer, ToolRequest, ToolThreadInput} from './protocol.js';
import type {StandingWalls} from './walls.js';

/** What stands around the tools, and which of them cannot be run there. */
export type Confinement = {readonly walls: StandingWalls; readonly unusable: readonly UnusableProgram[]};

/** One program to run, at most for so long. */
export type ToolRun = Pick<ToolRequest, 'program' | 'arguments' | 'netns' | 'timeoutMs'> & Partial<Pick<ToolRequest, 'environment' | 'inherited'>> & {readonly input?: string | undefined};

/** How a program ended and what it printed. One that took too long was killed. */
export type ToolEnd = Omit<Ended, 'type' | 'id'> & {readonly stdout: string; readonly stderr: string};

type Ended = Extract<ToolAnswer, {readonly type: 'ended'}>;
type Answered = Extract<ToolAnswer, {readonly id: number}>;
type Waiting = {readonly resolve: (answer: Answered) => void; readonly reject: (error: Error) => void};

function unconfinable(reason: string, hint = 'Run it as root with CAP_SYS_ADMIN. A container needs `--privileged`, or that capability and a security profile that lets it mount.'): TestbedError {
	return new TestbedError('MACHINE', {
		message: `The rule tools cannot be confined on this machine: ${reason}`,
		state: 'No tool was run on the rules.',
		hint,
	});
}

/** Longest wait for the start of a program, in milliseconds: of a thread that has died meanwhile nothing comes. */
const startMs = 10_000;

/** A tool thread, from this side. It keeps the process alive only while a tool runs. */
export class ConfinedTools implements AsyncDisposable {
	readonly #confinement: Promise<Confinement>;
	readonly #worker: Worker;
	readonly #waiting = new Map<number, Waiting>();
	readonly #started = new Int32Array(new SharedArrayBuffer(4));
	#lastId = 0;
	#failure: Error | undefined;
	#uses = 0;

	/** Starts the thread. Nothing waits for it before the first tool. */
	constructor({searchPath, programs = confinedPrograms, without = []}: Pick<ToolThreadInput, 'searchPath'> & Partial<Pick<ToolThreadInput, 'programs' | 'without'>>) {
		const workerData: ToolThreadInput = {
			searchPath, programs, without, ownNetns: ownNetnsDescriptor(), started: this.#started,
		};
		this.#worker = new Worker(new URL('tool-thread.js', import.meta.url), {workerData, execArgv: [], trackUnmanagedFds: false});
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
					fail(unconfinable(answer.message, answer.hint));
				} else {
					this.#waiting.get(answer.id)?.resolve(answer);
				}
			});
			this.#worker.on('error', fail);
			this.#worker.on('exit', () => {
				fail(new Error('The thread that starts the rule tools has ended.'));
			});
		});
		// After the listeners: one for messages makes the thread keep the process again.
		this.#worker.unref();
		// Who runs a tool hears of it.
		void Promise.allSettled([this.#confinement]);
	}

	/**
	What the walls turned out to be.

	@throws {TestbedError} MACHINE where they cannot be raised; no tool is run then.
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
	Runs a program behind the walls to its end.

	@throws {TestbedError} MISSING_PROGRAM when it is not on this machine; MACHINE when the walls cannot be raised, or the program cannot be run behind them.
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
	Has the thread start a program, and waits until it has, without giving up this thread. Until a program that is being born has become another one it holds copies of all descriptors of this process: a socket that were closed meanwhile would stay open for that long, bound to its port, its log group or its namespace (seen: a log group that was still taken).
	*/
	#start(request: ToolRequest): void {
		if (this.#failure !== undefined) {
			throw this.#failure;
		}

		Atomics.store(this.#started, 0, 0);
		this.#worker.postMessage(request);
		Atomics.wait(this.#started, 0, 0, startMs);
	}

	/** The thread by itself keeps nobody waiting; a tool that runs does. */
	#use(change: 1 | -1): void {
		this.#uses += change;
		if (this.#uses === 0) {
			this.#worker.unref();
		} else {
			this.#worker.ref();
		}
	}
}
