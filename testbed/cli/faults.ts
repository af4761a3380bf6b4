/**
How the program ends when something goes wrong. Errors that a user can act on are printed and set their own exit status, and so are shortages of the machine; all others are reported as bugs in the testbed.
*/

import process from 'node:process';
import {
	exitStatusOf, faultStatus, printError, printFault, TestbedError,
} from '../errors.js';
import {shortageOf, withShortageHint} from '../system/shortage.js';
import {tell} from '../system/streams.js';

/** The command line as given, and the version of the testbed. */
export type Asked = {readonly argv: readonly string[]; readonly version: string};

/** Prints an error; returns the exit status. */
export function reportError(error: unknown, asked: Asked): number {
	const known = error instanceof TestbedError ? withShortageHint(error) : shortageOf(error);
	if (known !== undefined) {
		tell(`${printError(known)}\n`);
		return exitStatusOf[known.code];
	}

	tell(`${printFault(error, {...asked, node: process.versions.node, isStackWanted: (process.env['TESTBED_DEBUG'] ?? '') !== ''})}\n`);
	return faultStatus;
}

let isGuarded = false;

/** Ends the process with a short message on an uncaught error. Node would print the source line it came from, which in a minified bundle is most of the bundle. For the program only: a library leaves this to its caller. */
export function guardProcess(asked: Asked): void {
	if (isGuarded) {
		return;
	}

	isGuarded = true;
	// Node raises unhandled rejections as uncaught exceptions.
	process.on('uncaughtException', error => {
		process.exit(reportError(error, asked)); // The state of what is still running is unknown.
	});
}
