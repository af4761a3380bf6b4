/**
How the program ends when something goes wrong: errors that a user can do something about are printed with their status, all others are faults of the testbed, and are said to be.
*/

import process from 'node:process';
import {
	exitStatusOf, faultStatus, printError, printFault, TestbedError,
} from '../errors.js';
import {tell} from '../system/streams.js';

/** What the user asked for, and the version of the testbed that was asked. */
export type Asked = {readonly argv: readonly string[]; readonly version: string};

/** Tells what went wrong; returns the exit status. */
export function reportError(error: unknown, asked: Asked): number {
	if (error instanceof TestbedError) {
		tell(`${printError(error)}\n`);
		return exitStatusOf[error.code];
	}

	tell(`${printFault(error, {...asked, node: process.versions.node, isStackWanted: (process.env['TESTBED_DEBUG'] ?? '') !== ''})}\n`);
	return faultStatus;
}

let isGuarded = false;

/** Ends the process with a sentence when nobody catches an error; Node would print the line of the bundle that it comes from, which is most of the bundle. For the program only: a library leaves that to its caller. */
export function guardProcess(asked: Asked): void {
	if (isGuarded) {
		return;
	}

	isGuarded = true;
	// Node hands on rejections that nobody handles as uncaught exceptions.
	process.on('uncaughtException', error => {
		process.exit(reportError(error, asked)); // Nobody knows what still runs.
	});
}
