'use strict';

const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const {Worker} = require('node:worker_threads');
const {rootCommands, testbedNeedsKernel} = require('./acts.cjs');
const {runBundle} = require('./load-bundle.cjs');

/** As in testbed/system/start-thread.ts, for the time before that is loaded. */
const limitMs = 1000;

/** Whether a command line will run rule tools, as far as that can be said without parsing it. `serve` may wait for hours before it does. */
function runsTools(argv) {
	return testbedNeedsKernel(argv) && argv[0] !== 'serve' && !rootCommands.has(argv[0]);
}

/** The thread, with the options that testbed/confinement/confined-tools.ts gives it; undefined if this process may have no more threads. */
function startThread(program, loading) {
	try {
		return new Worker(program, {
			workerData: {loading}, execArgv: [], trackUnmanagedFds: false, resourceLimits: {maxYoungGenerationSizeMb: 4},
		});
	} catch {
		return undefined;
	}
}

/**
Starts the thread of the rule tools (testbed/confinement/tool-thread.ts) before the command line is loaded. Loading leaves one processor idle, and later the processes of the actors take all of them (8 % of a run of the six types).

The thread confines itself and waits for the command line to take it over. An error of a thread that nobody has taken over yet is not reported: the command line then starts another, and that one's error counts.

@param {{root: string, argv: string[], uid: number}} options
@returns {{worker: Worker, failed: boolean} | undefined} undefined if this command needs none, or becomes another process first.
*/
function startEarlyThread({root, argv, uid}) {
	const program = path.join(root, 'dist/bin/tool-thread.js');
	if (uid !== 0 || process.platform !== 'linux' || !runsTools(argv) || !fs.existsSync(program)) {
		return undefined;
	}

	const loading = new Int32Array(new SharedArrayBuffer(4));
	const worker = startThread(program, loading);
	if (worker === undefined) {
		return undefined;
	}

	const early = {worker, failed: false};
	for (const event of ['error', 'exit']) {
		worker.once(event, () => {
			early.failed = true;
			Atomics.store(loading, 0, 1);
		});
	}

	worker.unref();
	// Koffi aborts the process if its thread is ended while it loads.
	process.once('exit', () => {
		Atomics.wait(loading, 0, 0, limitMs);
	});
	return early;
}

/**
Loads and runs the command line, with the early thread if it needs one.

@param {{root: string, argv: string[], uid: number, started: object}} options `started` is what `main` is given.
@returns {Promise<boolean>} As `runBundle`.
*/
async function runCommandLine({root, argv, uid, started}) {
	const earlyThread = startEarlyThread({root, argv, uid});
	return runBundle(path.join(root, 'dist/bin/cli.js'), argv, {...started, earlyThread});
}

module.exports = {runCommandLine, startEarlyThread};
