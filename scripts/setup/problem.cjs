'use strict';

const process = require('process');

/** Exit status for "the machine cannot do it", as in all of the testbed. */
const cannot = 4;

/** A setup problem that the user can fix: what happened, the current state, and what to do. */
class SetupProblem extends Error {
	constructor(message, options) {
		super(message);
		this.name = 'SetupProblem';
		this.state = options.state;
		this.hint = options.hint;
		this.exitCode = options.exitCode || cannot;
	}
}

/** The launcher prints to stderr; stdout belongs to the program. */
function say(line) {
	process.stderr.write('testbed: ' + line + '\n');
}

function describe(problem) {
	return problem.message + '\n  Now: ' + problem.state + '\n  Do:  ' + problem.hint;
}

/** Ends the launcher with a problem's message, or with the stack trace of an unexpected error. */
function report(error) {
	if (error instanceof SetupProblem) {
		say(describe(error));
		process.exitCode = error.exitCode;
		return;
	}

	say((error && error.stack) || String(error));
	process.exitCode = 1;
}

module.exports = {SetupProblem, cannot, describe, report, say};
