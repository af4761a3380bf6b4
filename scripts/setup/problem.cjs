'use strict';

const process = require('process');

/** Exit status for "the machine cannot do it", as the whole testbed uses it. */
const cannot = 4;

/** A set-up problem that the user can mend: what happened, what stands now, what to do. */
class SetupProblem extends Error {
	constructor(message, options) {
		super(message);
		this.name = 'SetupProblem';
		this.state = options.state;
		this.hint = options.hint;
		this.exitCode = options.exitCode || cannot;
	}
}

/** What the launcher says goes to stderr: stdout belongs to the program. */
function say(line) {
	process.stderr.write('testbed: ' + line + '\n');
}

function describe(problem) {
	return problem.message + '\n  Now: ' + problem.state + '\n  Do:  ' + problem.hint;
}

/** Ends the launcher with a problem's message, or with the stack of an error that nobody foresaw. */
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
