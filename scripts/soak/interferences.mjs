/**
What can be done to a run: everything that a machine, its kernel or its user may do to it at the wrong moment.
*/

import {spawn} from 'node:child_process';
import {
	existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import {sixTypes} from './runs.mjs';
import {
	endOf, inNamespacesOf, isOver, patience, processesNamed, runToEnd, startRun,
} from './watch.mjs';

/** The program of an actor, as in its command line. */
const stub = 'stub.js';

/** The processes of a run with this text in their command lines, once there are any; none if it ends first. */
async function waitForProcesses(run, text) {
	for (;;) {
		const found = processesNamed(run, text);
		if (found.length > 0 || isOver(run)) {
			return found;
		}

		await wait(5); // eslint-disable-line no-await-in-loop -- It waits for the process to show up.
	}
}

function signalTo(pid, signal) {
	try {
		process.kill(pid, signal);
	} catch {} // It ended meanwhile.
}

/** A run with which something is done while it runs. */
async function runWhile(act, given = sixTypes, wrap = []) {
	const run = await startRun(given, wrap);
	try {
		await act(run);
		return await endOf(run);
	} finally {
		await run[Symbol.asyncDispose]();
	}
}

/** Kills one of the actors at a random moment. */
async function killActor(random) {
	return runWhile(async run => {
		const victims = await waitForProcesses(run, stub);
		await wait(random.below(400));
		if (victims.length > 0) {
			signalTo(random.pick(victims), 'SIGKILL');
		}
	});
}

/** Stops all actors at a random moment, kills the run, and lets the actors go on: they see the end of the run late. */
async function killWithStoppedActors(random) {
	return runWhile(async run => {
		await waitForProcesses(run, stub);
		await wait(random.below(150));
		run.noteNamespaces();
		const actors = processesNamed(run, stub);
		for (const pid of actors) {
			signalTo(pid, 'SIGSTOP');
		}

		run.process.kill('SIGKILL');
		await run.process;
		for (const pid of actors) {
			signalTo(pid, 'SIGCONT');
		}
	});
}

/** Whether koffi has aborted the process because its thread was ended in the middle of one of its calls (Node-API cannot throw in a thread that ends; 1 of 80 runs with koffi 3.3.4 on Node 20.20). The kernel does not end threads that way, so this says nothing about the testbed. */
function isKoffiAbort({stderr}) {
	return /^FATAL ERROR: .*napi_throw/mu.test(stderr);
}

/** Ends the threads of a run whose program has this name. */
async function killThread(name, given, random) {
	const hook = new URL('kill-thread.mjs', import.meta.url).href;
	for (let tries = 1; ; tries++) {
		const ended = await runToEnd(given, ['env', `NODE_OPTIONS=--import=${hook}`, `SOAK_THREAD=${name}`, `SOAK_AFTER=${random.below(300)}`]); // eslint-disable-line no-await-in-loop -- Once in nearly all cases.
		if (tries === 5 || !isKoffiAbort(ended)) {
			return ended;
		}
	}
}

/** Runs the six types while loops keep the processors busy. */
async function busily(loops, runOnce) {
	const busy = Array.from({length: loops}, () => spawn(process.execPath, ['-e', 'for (;;);'], {stdio: 'ignore'}));
	try {
		return await runOnce();
	} finally {
		await Promise.all(busy.map(async child => new Promise(resolve => {
			child.once('close', resolve);
			child.kill('SIGKILL');
		})));
	}
}

const fakeTimeLibraries = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1'];

/** Runs the six types by a clock of their own, which is set back an hour while they run. */
async function setClockBack(random) {
	const library = fakeTimeLibraries.find(file => existsSync(file));
	if (library === undefined) {
		return undefined;
	}

	const folder = mkdtempSync(path.join(tmpdir(), 'testbed-clock-'));
	const clock = path.join(folder, 'clock');
	writeFileSync(clock, '+0\n');
	try {
		return await runWhile(async () => {
			await wait(random.below(600));
			writeFileSync(clock, '-1h\n');
		}, sixTypes, ['env', `FAKETIME_TIMESTAMP_FILE=${clock}`, 'FAKETIME_NO_CACHE=1', 'DONT_FAKE_MONOTONIC=1', `LD_PRELOAD=${library}`]);
	} finally {
		rmSync(folder, {recursive: true});
	}
}

/** Leaves the sandbox so few ports that they are all taken. */
async function exhaustPorts(count, random) {
	return runWhile(async run => {
		await waitForProcesses(run, stub);
		await wait(random.below(100));
		// Where the range is written it counts for later sockets only, so this is repeated while the run sends.
		while (!isOver(run)) {
			inNamespacesOf(run, `echo '61000 ${61_000 + count - 1}' > /proc/sys/net/ipv4/ip_local_port_range`);
			await wait(20); // eslint-disable-line no-await-in-loop
		}
	});
}

const pidsFolder = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find(folder => existsSync(path.join(folder, 'cgroup.procs')) && existsSync(path.join(folder, 'cgroup.controllers')) === (folder === '/sys/fs/cgroup'));

/** Runs the six types in a control group that has room for so many threads and processes. */
async function limitThreads(count) {
	const group = path.join(pidsFolder ?? '/', `testbed-soak-${process.pid}-${Date.now()}`);
	try {
		mkdirSync(group);
	} catch {
		return undefined;
	}

	try {
		const limit = path.join(group, 'pids.max');
		if (!existsSync(limit)) {
			return undefined;
		}

		writeFileSync(limit, String(count));
		return await runToEnd(sixTypes, ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group]);
	} finally {
		await removeGroup(group);
	}
}

/** Removes a control group. The kernel refuses while a process in it still ends; one that stays is killed here, and was told as left behind before. */
async function removeGroup(group) {
	const deadline = performance.now() + patience.leftMs;
	for (;;) {
		try {
			rmdirSync(group);
			return;
		} catch (error) {
			if (error.code !== 'EBUSY' || performance.now() > deadline + 5000) {
				throw error;
			}
		}

		if (performance.now() > deadline) {
			for (const pid of readFileSync(path.join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
				signalTo(Number(pid), 'SIGKILL');
			}
		}

		await wait(50); // eslint-disable-line no-await-in-loop -- It waits for the end of processes.
	}
}

const fullDisk = ['unshare', '--mount', 'sh', '-c', 'mkdir full && mount -t tmpfs -o size=4k none full && head -c 4096 /dev/zero > full/filler; "$@"; status=$?; umount full; rmdir full; exit $status', 'sh'];

const withLimit = (option, value) => ['sh', '-c', `ulimit ${option} ${value}; exec "$@"`, 'sh'];

/** A command that uses the prober. */
const comparison = ['diff', 'release:1.24', 'release:1.31', '--format', 'json'];

/** An output that cannot be written is status 2. */
const outputStatus = new Set([2]);

/** Node, its C++ library or V8 give up by themselves without memory or threads; what counts then is what is left. */
const nodeGivesUp = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV', 'SIGBUS']);

/**
What can be done to a run. `failsWith` and `endsBy`: how it then may end, if not as a run without a result does. `given`: what is run, if not the six types. Each gives how the run ended, or nothing where this machine lacks what it takes.
*/
export const interferences = [
	{name: 'a trace buffer of 4 kB', act: async () => runToEnd([...sixTypes, '--trace-buffer', '4096'])},
	{name: 'an actor killed', act: killActor},
	{name: 'the run killed while its actors are stopped', endsBy: new Set(['SIGKILL']), act: killWithStoppedActors},
	{name: 'the thread that starts the tools killed', act: async random => killThread('tool-thread', sixTypes, random)},
	{name: 'a thread that sends packet classes killed', given: comparison, act: async random => killThread('sender-thread', comparison, random)},
	{name: 'a thread that reads the trace of packet classes killed', given: comparison, act: async random => killThread('reader-thread', comparison, random)},
	{name: 'four busy loops', act: async () => busily(4, async () => runToEnd(sixTypes))},
	{name: 'a clock that is set back', act: setClockBack},
	{name: 'a clock that is set back, and four busy loops', act: async random => busily(4, async () => setClockBack(random))},
	{name: 'one free port', act: async random => exhaustPorts(1, random)},
	{name: 'three free ports', act: async random => exhaustPorts(3, random)},
	{name: 'a full disk for the report', failsWith: outputStatus, act: async () => runToEnd([...sixTypes, '--output', 'full/report.json'], fullDisk)},
	{name: 'a full disk for the recording', failsWith: outputStatus, act: async () => runToEnd([...sixTypes, '--record', 'full/run.testbed'], fullDisk)},
	{name: 'a full disk for temporary files', act: async () => runToEnd(sixTypes, [...fullDisk, 'env', 'TMPDIR=full'])},
	...[24, 40, 64].map(count => ({name: `${count} open files at most`, act: async () => runToEnd(sixTypes, withLimit('-n', count))})),
	...[12, 24, 48].map(count => ({name: `${count} threads and processes at most`, endsBy: nodeGivesUp, act: async () => limitThreads(count)})),
	...[2, 2.8].map(gigabytes => ({name: `${gigabytes} GB of addresses at most`, endsBy: nodeGivesUp, act: async () => runToEnd(sixTypes, withLimit('-v', Math.round(gigabytes * 1_000_000)))})),
];
