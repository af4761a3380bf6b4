'use strict';

const path = require('node:path');
const process = require('node:process');
const {runBundle} = require('./load-bundle.cjs');
const {endProcess} = require('./run-to-end.cjs');

// The second start of an ordinary user's command, as root of a user namespace (testbed/rootless/enter.ts). The first one has set everything up.
start();

async function start() {
	const [context, ...argv] = process.argv.slice(2);
	await runBundle(path.resolve(__dirname, '../../dist/bin/cli.js'), argv, JSON.parse(context));
	await endProcess();
}
