/**
The thread that starts the rule tools. Landlock and seccomp restrict a thread permanently, and a mount namespace shared by several threads of a process cannot be left. So a dedicated thread confines itself and then only starts tools, which inherit the restrictions.
*/

import process from 'node:process';
import {closeSync} from 'node:fs';
import {stat} from 'node:fs/promises';
import {parentPort, receiveMessageOnPort, workerData} from 'node:worker_threads';
import {TestbedError} from '../errors.js';
import {missingProgram} from '../system/missing-program.js';
import {threadHasLoaded} from '../system/start-thread.js';
import {keepInheritedDescriptors} from '../syscalls/descriptors.js';
import {clearWaker, waitReadable} from '../syscalls/poll.js';
import {joinNetns} from '../syscalls/probe-socket.js';
import {reap, spawnProgram, type Spawned} from '../syscalls/spawn.js';
import {searchPath as ownSearchPath} from '../system/commands.js';
import {findPrograms, programsToConfine, type FoundProgram} from './programs.js';
import type {ToolAnswer, ToolRequest, ToolThreadInput, ToolThreadStart} from './protocol.js';
import {raiseWalls} from './walls.js';

const {searchPath = ownSearchPath, programs: names = programsToConfine(), without = []} = workerData as ToolThreadInput;

function say(answer: ToolAnswer): void {
	parentPort!.postMessage(answer);
}

/** A tool that runs. */
type Running = Spawned & {readonly id: number; readonly deadline: number; timedOut: boolean};

const running = new Set<Running>();

/** Longest wait in one call. Node can end a thread only between calls. */
const turnMs = 250;

/** What the thread works with: the programs that it has found, and what it was told at the start. */
type Means = ToolThreadStart & {readonly programs: readonly FoundProgram[]};

/** Starts a program in a network namespace: the child inherits the namespace this thread is in at that moment. */
function start({file, name}: FoundProgram, {request, ownNetns}: {readonly request: ToolRequest; readonly ownNetns: number}): void {
	const {
		id, netns, channels, inherited, environment, timeoutMs,
	} = request;
	joinNetns(netns ?? ownNetns);
	try {
		const spawned = spawnProgram({
			file, argv: [name, ...request.arguments], environment, descriptors: [...channels.entries(), ...inherited.map(fd => [fd, fd] as const)],
		});
		running.add({
			...spawned, id, deadline: performance.now() + timeoutMs, timedOut: false,
		});
	} finally {
		joinNetns(ownNetns);
	}
}

/** Waits in the kernel until no tool is running, and starts the programs that are asked for in the meantime. The event loop only notices the end of programs that it started itself. */
function waitForTools(means: Means): void {
	const {waker} = means;
	while (running.size > 0) {
		const tools = [...running];
		const nextDeadline = Math.min(...tools.map(({deadline, timedOut}) => timedOut ? Number.POSITIVE_INFINITY : deadline)) - performance.now();
		const readable = new Set(waitReadable([waker, ...tools.map(({pidfd}) => pidfd)], Math.max(0, Math.min(turnMs, Math.ceil(nextDeadline)))));
		if (readable.has(0)) {
			clearWaker(waker);
		}

		for (let received = receiveMessageOnPort(parentPort!); received !== undefined; received = receiveMessageOnPort(parentPort!)) {
			answer(means, received.message as ToolRequest);
		}

		for (const [index, tool] of tools.entries()) {
			if (readable.has(index + 1)) {
				running.delete(tool);
				closeSync(tool.pidfd);
				say({
					type: 'ended', id: tool.id, ...reap(tool), timedOut: tool.timedOut,
				});
			} else if (!tool.timedOut && performance.now() >= tool.deadline) {
				tool.timedOut = process.kill(tool.pid, 'SIGKILL');
			}
		}
	}
}

/** Starts the requested program or answers why it cannot; the main thread waits until this is done. */
function answer({programs, ownNetns, started}: Means, request: ToolRequest): void {
	try {
		const program = programs.find(({name}) => name === request.program);
		if (program === undefined) {
			say({type: 'absent', id: request.id});
		} else {
			start(program, {request, ownNetns});
		}
	} catch (error) {
		say({type: 'not-started', id: request.id, message: (error as Error).message});
	} finally {
		Atomics.store(started, 0, 1);
		Atomics.notify(started, 0);
	}
}

/** Confines this thread, for good. */
function confine(): {readonly programs: readonly FoundProgram[]; readonly ready: ToolAnswer} {
	keepInheritedDescriptors();
	const {found: [mountProgram]} = findPrograms(['mount'], searchPath);
	if (mountProgram === undefined) {
		throw missingProgram('mount');
	}

	const {found, unusable} = findPrograms(names, searchPath);
	const walls = raiseWalls({programs: found, mountProgram: mountProgram.file, without});
	return {programs: found, ready: {type: 'ready', walls, unusable}};
}

function failed(error: unknown): ToolAnswer {
	return {type: 'failed', message: (error as Error).message, hint: error instanceof TestbedError && ['MISSING_PROGRAM', 'MACHINE'].includes(error.code) ? error.hint : undefined};
}

async function begin(): Promise<void> {
	// Libuv creates its thread pool on first use, as children of the calling thread. Created after this thread is confined, those threads would be confined too and serve file reads of the whole process, so the pool is used once before.
	await stat('/');
	let confined: ReturnType<typeof confine> | undefined;
	let outcome: ToolAnswer;
	try {
		confined = confine();
		outcome = confined.ready;
	} catch (error) {
		outcome = failed(error);
	}

	threadHasLoaded();
	// Whoever uses the thread may still be loading. The port keeps messages until it has its first listener, but not between two.
	let means: Means | undefined;
	parentPort!.on('message', (message: ToolThreadStart | ToolRequest) => {
		if (means !== undefined) {
			answer(means, message as ToolRequest);
			waitForTools(means);
			return;
		}

		say(outcome);
		if (confined === undefined) {
			process.exit();
		}

		means = {...message as ToolThreadStart, programs: confined.programs};
	});
}

void begin(); // eslint-disable-line unicorn/prefer-top-level-await -- A bundle is CommonJS, which has none.
