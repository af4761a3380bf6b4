'use strict';

const path = require('node:path');
const process = require('node:process');
const {startEarlyThread} = require('./early-thread.cjs');
const {runBundle} = require('./load-bundle.cjs');
const {endProcess} = require('./run-to-end.cjs');

// The second start of an ordinary user's command, as root of a user namespace (testbed/rootless/enter.ts). The first one has set everything up.
start();

async function start() {
	const [context, ...argv] = process.argv.slice(2);
	const root = path.resolve(__dirname, '../..');
	const earlyThread = startEarlyThread({root, argv, uid: process.getuid()});
	await runBundle(path.join(root, 'dist/bin/cli.js'), argv, {...JSON.parse(context), earlyThread});
	await endProcess();
}
