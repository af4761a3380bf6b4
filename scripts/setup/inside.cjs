'use strict';

const path = require('node:path');
const process = require('node:process');
const {runCommandLine} = require('./early-thread.cjs');
const {endProcess} = require('./run-to-end.cjs');

// The second start of an ordinary user's command, as root of a user namespace (testbed/rootless/enter.ts). The first one has set everything up.
start();

async function start() {
	const [context, ...argv] = process.argv.slice(2);
	await runCommandLine({
		root: path.resolve(__dirname, '../..'), argv, uid: process.getuid(), started: JSON.parse(context),
	});
	await endProcess();
}
