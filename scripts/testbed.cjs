#!/usr/bin/env node
'use strict';

const fs = require('fs');
const path = require('path');
const process = require('process');
const {checkNode} = require('./setup/machine.cjs');
const {report} = require('./setup/problem.cjs');

// The program `testbed` of package.json's `bin`. In a checkout it is the same as `npm run testbed --`, from any folder, and builds what is missing. In node_modules there are no sources and nothing to build: npm has installed everything.
const root = path.resolve(__dirname, '..');
if (fs.existsSync(path.join(root, 'tsconfig.json'))) {
	process.argv.splice(2, 0, 'testbed');
	require('./run.cjs'); // eslint-disable-line import-x/no-unassigned-import
} else {
	start();
}

async function start() {
	try {
		checkNode(process.versions.node);
		// With Debian's `su`, PATH lacks the folders of the netfilter programs.
		process.env.PATH = [process.env.PATH, '/usr/sbin', '/sbin'].filter(Boolean).join(path.delimiter);
		const {installedName} = require('./setup/program-name.cjs');
		const {runCommandLine} = require('./setup/early-thread.cjs');
		const {endProcess} = require('./setup/run-to-end.cjs');
		const {becomeRoot} = require('./setup/rootless.cjs');
		const uid = process.getuid === undefined ? -1 : process.getuid();
		const [argv, started] = [process.argv.slice(2), {called: installedName(process.env)}];
		becomeRoot({
			root, uid, argv, context: started,
		});
		await runCommandLine({
			root, argv, uid, started,
		});
		await endProcess();
	} catch (error) {
		report(error);
	}
}
