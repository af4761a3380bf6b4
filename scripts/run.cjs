'use strict';

// The entry point of every script of this project: `npm run testbed`, `npm test`, `npm run bench`, `npm run lint` …
// It is the main script, not a `pre` script, because a user's `ignore-scripts=true` silently skips those.
// This file, setup/machine.cjs and setup/problem.cjs only use the syntax of Node 12, so that an old Node reports that it is too old instead of a syntax error. Everything else is loaded after that check.

const process = require('process');
const {checkNode} = require('./setup/machine.cjs');
const {report} = require('./setup/problem.cjs');

async function main() {
	try {
		checkNode(process.versions.node);
		await require('./setup/launch.cjs').launch(process.argv.slice(2));
	} catch (error) {
		report(error);
	}
}

main();
