'use strict';

const path = require('node:path');
const process = require('node:process');
const {loadBundle} = require('./load-bundle.cjs');
const {runToEnd} = require('./run-to-end.cjs');

// The second start of an ordinary user's command, as root of a user namespace (testbed/rootless/enter.ts). The first one has set everything up.
start();

async function start() {
	const [context, ...argv] = process.argv.slice(2);
	const {exports: {main}, save} = loadBundle(path.resolve(__dirname, '../../dist/bin/cli.js'));
	await runToEnd(async () => main(argv, JSON.parse(context)));
	save();
}
