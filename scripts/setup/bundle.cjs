'use strict';

const fs = require('node:fs');
const path = require('node:path');
const {SetupProblem} = require('./problem.cjs');

/**
The programs of a run, each in one file: the command line, an actor, the trace reader; the bench, so that it measures the same; and the conformance check. They find each other by name in one folder.
Node loads one file much faster than the 250 that execa, commander and our own rooms are made of (bench: some 100 ms of 500).
*/
const entries = {
	cli: 'testbed/cli/main.ts',
	bench: 'testbed/bench/main.ts',
	conformance: 'testbed/conformance/main.ts',
	stub: 'testbed/actors/stub.ts',
	'trace-thread': 'testbed/tracer/trace-thread.ts',
	'sender-thread': 'testbed/prober/sender-thread.ts',
	'reader-thread': 'testbed/prober/reader-thread.ts',
	'tool-thread': 'testbed/confinement/tool-thread.ts',
};
const folder = 'dist/bin';

/**
CommonJS, because Node starts some 20 ms faster when nothing asks for its loader of modules (bench), and a run starts eight Nodes. What `import.meta.url` is in a module, this is in a bundle.
*/
const banner = 'const bundleUrl = require(\'node:url\').pathToFileURL(__filename).href;';

/** The programs that have a source: all of them, but in a checkout that is being taken apart. */
function present(root) {
	return Object.entries(entries).filter(([, file]) => fs.existsSync(path.join(root, file)));
}

/** Whether all bundles are there. Whether they are of the sources as they are, the stamp of the build tells. */
function bundlesStand({root}) {
	return present(root).map(([name]) => name).every(name => fs.existsSync(path.join(root, folder, `${name}.js`)));
}

/** Writes the bundles from the TypeScript sources. esbuild drops the types without a look at them: that they are right, `npm test`, `npm run lint` and `npm run build` ask the compiler. */
function bundle({root}) {
	const entryPoints = Object.fromEntries(present(root));
	if (Object.keys(entryPoints).length === 0) {
		return;
	}

	const esbuild = require(path.join(root, 'node_modules/esbuild'));
	try {
		esbuild.buildSync({
			absWorkingDir: root, entryPoints, outdir: folder, bundle: true, platform: 'node', format: 'cjs', target: 'node20', external: ['koffi'], banner: {js: banner}, define: {'import.meta.url': 'bundleUrl'}, legalComments: 'none', minifyWhitespace: true, minifySyntax: true, logLevel: 'silent',
		});
		fs.writeFileSync(path.join(root, folder, 'package.json'), '{"type": "commonjs"}\n');
	} catch (error) {
		throw new SetupProblem(`esbuild could not bundle testbed/: ${error.message}`, {state: 'Nothing was run: what is in dist/bin is not what the sources say.', hint: 'Mend the errors above, then: npm run build'});
	}
}

module.exports = {bundle, bundlesStand};
