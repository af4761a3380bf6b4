'use strict';

const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const {rootCommands, testbedNeedsKernel} = require('./acts.cjs');

/** Whether a command line of `testbed` runs in a user namespace, as far as that can be said without parsing it. `serve` first opens its sockets, `--keep` is for root only, and pods of a cluster are read before. */
function runsInNamespace(argv, env = {}) {
	const [first] = argv;
	const words = [...argv, ...Object.keys(env).filter(name => name.startsWith('TESTBED_')).map(name => env[name])];
	return testbedNeedsKernel(argv) && first !== 'serve' && !rootCommands.has(first) && !argv.some(argument => argument.startsWith('--keep')) && !words.some(word => word.includes('kubectl:'));
}

/**
Starts a command of an ordinary user again as root of a user namespace. The command line would do the same (testbed/cli/become-root.ts), but loading it first costs 50 ms. Returns if there is nothing to do, and if it does not work: then the command line tries again and says why.

@param {{root: string, uid: number, argv: string[], context: object, env?: Record<string, string | undefined>}} options `context` is what `main` is given.
*/
function becomeRoot({root, uid, argv, context, env = process.env}) {
	const bundle = path.join(root, 'dist/bin/enter.js');
	if (uid <= 0 || process.platform !== 'linux' || env.TESTBED_NAMESPACE !== undefined || !runsInNamespace(argv, env) || !fs.existsSync(bundle)) {
		return;
	}

	try {
		require(bundle).enterNamespace({argv, context});
	} catch {}
}

module.exports = {becomeRoot, runsInNamespace};
