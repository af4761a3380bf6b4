'use strict';

const fs = require('node:fs');
const process = require('node:process');

/** Inconclusive, as for every internal error. */
const unfinished = 3;

/**
Calls a program and sets the exit status that it returns. If nothing is left that could wake it, Node ends the process with status 0, whatever the program still waits for; that must not look like a pass.

@param {() => Promise<number>} main
*/
async function runToEnd(main) {
	const onExit = status => {
		if (status === 0) {
			process.exitCode = unfinished;
			fs.writeSync(2, 'testbed: Internal error: the program ended while it was still waiting for something.\nThis run proves nothing.\n→ This is a bug in the testbed. Please report it with the command.\n');
		}
	};

	process.once('exit', onExit);
	try {
		process.exitCode = await main();
	} finally {
		process.off('exit', onExit);
	}
}

/**
Ends the process with the exit status that was set. Left to itself, Node would first end its threads and take its heap apart (40 of 700 ms of a run).

A program has written its output when it returns, but its messages may still wait for whoever reads standard error: these come first.
*/
async function endProcess() {
	const full = [process.stdout, process.stderr].filter(({writableLength}) => writableLength > 0);
	await Promise.all(full.map(async stream => new Promise(resolve => {
		stream.write('', resolve);
	})));
	process.exit(); // eslint-disable-line unicorn/no-process-exit -- The program has ended.
}

module.exports = {endProcess, runToEnd};
