/**
The thread that starts the rule tools. Landlock and seccomp bind a thread for good, and a mount namespace that several threads of a process share cannot be left: so the tools are born of a thread of their own, which raises the walls around itself and then does nothing but start them.
*/

import process from 'node:process';
import {spawn, type StdioOptions} from 'node:child_process';
import {stat} from 'node:fs/promises';
import {parentPort, workerData} from 'node:worker_threads';
import {TestbedError} from '../errors.js';
import {missingProgram} from '../system/missing-program.js';
import {keepInheritedDescriptors} from '../syscalls/descriptors.js';
import {joinNetns} from '../syscalls/probe-socket.js';
import {findPrograms, type FoundProgram} from './programs.js';
import type {ToolAnswer, ToolRequest, ToolThreadInput} from './protocol.js';
import {raiseWalls} from './walls.js';

const {
	searchPath, programs: names, without, ownNetns, started,
} = workerData as ToolThreadInput;

function say(answer: ToolAnswer): void {
	parentPort!.postMessage(answer);
}

/** Starts a program in a network namespace: it is born in that in which this thread is then. */
function start({file, name}: FoundProgram, request: ToolRequest): void {
	const {
		id, netns, channels, inherited, environment, timeoutMs,
	} = request;
	const stdio: StdioOptions = Array.from({length: Math.max(2, ...inherited) + 1}, (_, fd) => channels[fd] ?? (inherited.includes(fd) ? fd : 'ignore'));
	joinNetns(netns ?? ownNetns);
	try {
		const child = spawn(file, request.arguments, {argv0: name, env: environment, stdio});
		let timedOut = false;
		const timer = setTimeout(() => {
			timedOut = child.kill('SIGKILL');
		}, timeoutMs);
		child.once('error', error => {
			clearTimeout(timer);
			say({type: 'not-started', id, message: error.message});
		});
		child.once('exit', (exitCode, signal) => {
			clearTimeout(timer);
			say({
				type: 'ended', id, exitCode, signal, timedOut,
			});
		});
	} finally {
		joinNetns(ownNetns);
	}
}

function serve(): void {
	keepInheritedDescriptors();
	const {found: [mountProgram]} = findPrograms(['mount'], searchPath);
	if (mountProgram === undefined) {
		throw missingProgram('mount');
	}

	const {found, unusable} = findPrograms(names, searchPath);
	const walls = raiseWalls({programs: found, mountProgram: mountProgram.file, without});
	parentPort!.on('message', (request: ToolRequest) => {
		try {
			const program = found.find(({name}) => name === request.program);
			if (program === undefined) {
				say({type: 'absent', id: request.id});
			} else {
				start(program, request);
			}
		} catch (error) {
			say({type: 'not-started', id: request.id, message: (error as Error).message});
		} finally {
			Atomics.store(started, 0, 1);
			Atomics.notify(started, 0);
		}
	});
	say({type: 'ready', walls, unusable});
}

async function begin(): Promise<void> {
	// Libuv makes the threads of its pool at the first use, as children of the thread that asks. Here they would be born behind the walls and read files there for the whole process, so it is asked before.
	await stat('/');
	try {
		serve();
	} catch (error) {
		say({type: 'failed', message: (error as Error).message, hint: error instanceof TestbedError && error.code === 'MISSING_PROGRAM' ? error.hint : undefined});
		process.exit();
	}
}

void begin(); // eslint-disable-line unicorn/prefer-top-level-await -- A bundle is CommonJS, which has none.
