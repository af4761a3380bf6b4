/** A run that loses one of its own threads or ends while its processes are still starting: it says so and ends, and leaves nothing behind. Each was found by `npm run soak`. */

import {existsSync, readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {pathToFileURL} from 'node:url';
import test from 'ava';
import {execa} from 'execa';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {ActorSpec} from '../../testbed/actors/protocol.js';
import {StubProcess} from '../../testbed/actors/stub-process.js';
import {TestbedError} from '../../testbed/errors.js';
import {Thread} from '../../testbed/prober/thread.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {testbed, until} from './_cli.js';

const hook = pathToFileURL(path.resolve('scripts/soak/kill-thread.mjs')).href;

const threads = [
	['tool-thread', ['run'], /^testbed: The thread that starts the rule tools ended unexpectedly\.\n→ Run it again\.$/mu],
	['reader-thread', ['diff', 'release:1.24', 'release:1.31'], /^testbed: The thread that .+ failed: it ended unexpectedly\.$/mu],
	['sender-thread', ['diff', 'release:1.24', 'release:1.31'], /^testbed: The thread that .+ failed: it ended unexpectedly\.$/mu],
] as const;

async function endThread(name: string, given: readonly string[], after: number): ReturnType<typeof testbed> {
	return testbed(given, {env: {NODE_OPTIONS: `--import=${hook}`, SOAK_THREAD: name, SOAK_AFTER: String(after)}});
}

/** Koffi aborts the process if its thread is ended in the middle of one of its calls, which no kernel does (scripts/soak/interferences.mjs). */
function isKoffiAbort({stderr}: {readonly stderr: string}): boolean {
	return /^FATAL ERROR: .*napi_throw/mu.test(stderr);
}

for (const [name, given, words] of threads) {
	for (const after of [0, 100]) {
		test.serial(`${name} ends ${after} ms after its start: the command ends with status 4 and says so`, async t => {
			let ended = await endThread(name, given, after);
			for (let tries = 1; tries < 5 && isKoffiAbort(ended); tries++) {
				ended = await endThread(name, given, after); // eslint-disable-line no-await-in-loop -- One run at a time.
			}

			const {exitCode, stdout, stderr} = ended;
			t.is(exitCode, 4, stderr);
			t.is(stdout, '');
			t.regex(stderr, words);
		});
	}
}

test.serial('a thread with another name is left alone: the run passes', async t => {
	const {exitCode, stderr} = await testbed(['run'], {env: {NODE_OPTIONS: `--import=${hook}`, SOAK_THREAD: 'no-such-thread', SOAK_AFTER: '0'}});
	t.is(exitCode, 0, stderr);
});

for (const [count, words] of [[24, /^testbed: .+EMFILE/mu], [40, /^testbed: .+EMFILE/mu]] as const) {
	test.serial(`with ${count} open files at most: the machine is named, not a bug in the testbed`, async t => {
		const {exitCode, stderr} = await execa('sh', ['-c', `ulimit -n ${count}; exec "$@"`, 'sh', process.execPath, 'scripts/run.cjs', 'testbed', 'run'], {reject: false});
		t.is(exitCode, 4, stderr);
		t.regex(stderr, words);
		t.notRegex(stderr, /internal error|bug in the testbed/iu);
		t.regex(stderr, /^→ ulimit -n 1024$/mu);
	});
}

/** A thread that takes a while to load, notes that it has, and only then says something. */
const slowToLoad = new URL(`data:text/javascript,${encodeURIComponent(`
import {parentPort, workerData} from 'node:worker_threads';
Atomics.wait(workerData.memory, 0, 0, 200);
Atomics.store(workerData.memory, 1, 1);
parentPort.postMessage({type: 'ready'});
`)}`);

test('a thread that is no longer needed is ended only after it has loaded: ended while koffi loads, it takes the process with it', async t => {
	const memory = new Int32Array(new SharedArrayBuffer(8));
	const thread = new Thread(slowToLoad, {name: 'waits', workerData: {memory}});
	await thread[Symbol.asyncDispose]();
	t.is(memory[1], 1);
});

test('a thread that fails while it loads can be disposed of', async t => {
	const thread = new Thread(new URL('data:text/javascript,throw new Error("no")'), {name: 'fails', workerData: {}});
	await t.throwsAsync(thread.next('ready'), {code: 'SYSCALL_FAILED', message: 'The thread that fails failed: no.'});
	await t.notThrowsAsync(thread[Symbol.asyncDispose]());
});

const silent: ActorSpec = {
	name: 'proxy', uid: 1337, gid: 1337, ownSource: {ipv4: '127.0.0.1', ipv6: '::1'}, listeners: [], services: {}, passthroughSource: defaultTopology.passthroughSource, addresses: [], timeoutMs: 1000,
};

const ignore = (): void => undefined;

/** The processes of stubs that this process has started. */
function stubs(): readonly number[] {
	return readdirSync('/proc').filter(name => /^\d+$/u.test(name)).map(Number).filter(pid => {
		try {
			return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1] === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('stub.js');
		} catch {
			return false;
		}
	});
}

test.serial('an actor that hangs while it starts is named after its time is over, and its process is gone', async t => {
	await using netns = Netns.create('hangs', ['lo']);
	const start = async (stop: boolean): Promise<StubProcess> => StubProcess.start({
		netns, configured: (async () => {
			if (stop) {
				process.kill(await until('its process is there', () => stubs()[0]), 'SIGSTOP');
			}

			return Promise.allSettled([Promise.resolve()]);
		})(),
	}, [{spec: silent, events: {onRecord: ignore, onTrouble: ignore, onEnd: ignore}}], stop ? 500 : undefined);
	const error = await t.throwsAsync(start(true), {instanceOf: TestbedError, code: 'ACTOR_FAILED'});
	t.regex(error.message, /^proxy \(pid \d+\) did not start within 0\.5 s\.$/u);
	t.regex(error.hint ?? '', /pids\.max/u);
	t.deepEqual(stubs(), []);
	await using started = await start(false);
	t.deepEqual(stubs(), [started.pid], 'one that is not stopped starts');
});

/** Starts an actor's process, stops it before it can run anything, and prints its number. */
const startAndStop = `
import {openSync} from 'node:fs';
import process from 'node:process';
const {startNode} = await import(process.argv[1]);
const {pid} = startNode(new URL('file:///no/such/program.js'), {netns: openSync('/proc/self/ns/net', 'r'), onMessage() {}});
process.kill(pid, 'SIGSTOP');
console.log(pid);
setInterval(() => {}, 1000);
`;

function isRunning(pid: number): boolean {
	try {
		return !/^State:\tZ/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
}

test.serial('a process of a run that is killed ends with it, even before its program runs and can see the end', async t => {
	t.true(existsSync('/usr/bin/setpriv'), 'util-linux is part of every Debian');
	const exec = pathToFileURL(path.resolve('dist/testbed/system/exec.js')).href;
	for (let tries = 0; tries < 5; tries++) {
		const parent = execa(process.execPath, ['--input-type=module', '--eval', startAndStop, exec], {reject: false});
		let said = '';
		parent.stdout.on('data', (text: unknown) => {
			said += String(text);
		});
		const pid = Number(await until('it has started a process', () => said.includes('\n') ? said : undefined)); // eslint-disable-line no-await-in-loop -- One at a time.
		try {
			// Continued once, so that it gets past the words in front of Node, and stopped again.
			process.kill(pid, 'SIGCONT');
			await until('Node is started', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(process.execPath) ? true : undefined); // eslint-disable-line no-await-in-loop
			process.kill(pid, 'SIGSTOP');
			parent.kill('SIGKILL');
			await parent; // eslint-disable-line no-await-in-loop
			await t.notThrowsAsync(until('it has ended', () => isRunning(pid) ? undefined : true)); // eslint-disable-line no-await-in-loop
		} finally {
			if (isRunning(pid)) {
				process.kill(pid, 'SIGKILL');
			}
		}
	}
});

/** Starts the thread of the rule tools, and ends the process in the given milliseconds, whatever the thread does then. */
const startAndEnd = `
const [, module, delay] = process.argv;
const {prepareConfinement} = await import(module);
prepareConfinement();
setTimeout(() => { throw new Error('ends') }, Number(delay));
process.on('uncaughtException', () => process.exit(4));
`;

test.serial('a process that ends while a thread loads waits for it, whatever ended the process', async t => {
	const module = pathToFileURL(path.resolve('dist/testbed/confinement/run-confined.js')).href;
	for (let delay = 0; delay < 80; delay += 2) {
		const {exitCode, stderr} = await execa(process.execPath, ['--input-type=module', '--eval', startAndEnd, module, String(delay)], {reject: false}); // eslint-disable-line no-await-in-loop -- Each is timed.
		t.is(exitCode, 4, `after ${delay} ms: ${stderr}`);
	}
});
