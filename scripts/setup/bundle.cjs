'use strict';

const fs = require('node:fs');
const path = require('node:path');
const {SetupProblem} = require('./problem.cjs');

/**
The programs, each bundled into one file: the command line, an actor, the trace reader, what makes a user root; the bench, so that it measures the same code; and the conformance check. They find each other by name in one folder.

Node loads one file much faster than the 250 files of execa, commander and our own code (bench: some 100 ms of 500).
*/
const entries = {
	cli: 'testbed/cli/main.ts',
	bench: 'testbed/bench/main.ts',
	conformance: 'testbed/conformance/main.ts',
	stub: 'testbed/actors/stub.ts',
	keeper: 'testbed/kept/keeper.ts',
	'sender-thread': 'testbed/prober/sender-thread.ts',
	'reader-thread': 'testbed/prober/reader-thread.ts',
	'tool-thread': 'testbed/confinement/tool-thread.ts',
	'live-reader': 'testbed/live/live-reader.ts',
	'pod-reader': 'testbed/kubernetes/pod-reader.ts',
	enter: 'testbed/rootless/enter.ts',
};
const folder = 'dist/bin';

/** What a browser gets from `testbed serve`: the page's script with everything that it imports, and its style. */
const page = {script: 'page/main.tsx', style: 'page/page.css', outputs: ['page.js', 'page.css']};

/**
CommonJS, because Node starts some 20 ms faster if its module loader is not needed (bench), and a run starts eight Node processes. This replaces `import.meta.url` in a bundle.
*/
const banner = 'const bundleUrl = require(\'node:url\').pathToFileURL(__filename).href;';

/** The programs that have a source: all of them, except in an incomplete checkout. */
function present(root) {
	return Object.entries(entries).filter(([, file]) => fs.existsSync(path.join(root, file)));
}

/** Whether all bundles exist. Whether they match the current sources is up to the build stamp. */
function bundlesStand({root}) {
	const outputs = [...present(root).map(([name]) => `${name}.js`), ...(hasPage(root) ? page.outputs : [])];
	return outputs.every(name => fs.existsSync(path.join(root, folder, name)));
}

function hasPage(root) {
	return fs.existsSync(path.join(root, page.script));
}

/**
Escapes what is not ASCII in a bundle, as `\u` with four hexadecimal digits. esbuild does so in strings, but leaves regular expressions as they are. One such character makes V8 keep the whole source with two bytes for each character, and load it more slowly: 29 instead of 17 ms for the command line (Node 20.20).

In the text of a tagged template, this would be another text. No source has one that is not ASCII (a test checks that).
*/
function escapeRest(file) {
	const text = fs.readFileSync(file, 'utf8');
	// By code units: regular expressions with the flag u read two escaped surrogates as one character.
	const escaped = text.replaceAll(/[^\0-\u007F]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`); // eslint-disable-line unicorn/prefer-code-point
	if (escaped !== text) {
		fs.writeFileSync(file, escaped);
	}
}

/** Writes the bundles from the TypeScript sources. esbuild drops types without checking them; `npm test`, `npm run lint` and `npm run build` run the compiler. */
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
		for (const name of Object.keys(entryPoints)) {
			escapeRest(path.join(root, folder, `${name}.js`));
		}

		fs.writeFileSync(path.join(root, folder, 'package.json'), '{"type": "commonjs"}\n');
		if (hasPage(root)) {
			bundlePage(esbuild, root);
		}
	} catch (error) {
		throw new SetupProblem(`esbuild could not bundle the sources: ${error.message}`, {state: 'Nothing was run: dist/bin does not match the sources.', hint: 'Fix the errors above, then run: npm run build'});
	}
}

/** Bundles one module for browsers, as small as esbuild makes it: it goes over a network. */
function bundlePage(esbuild, root) {
	const shared = {
		absWorkingDir: root, outdir: folder, bundle: true, platform: 'browser', format: 'esm', target: 'es2022', minify: true, legalComments: 'none', logLevel: 'silent',
	};
	esbuild.buildSync({
		...shared, entryPoints: {page: page.script}, jsx: 'automatic', jsxImportSource: 'preact',
	});
	esbuild.buildSync({...shared, entryPoints: {page: page.style}});
}

module.exports = {bundle, bundlesStand};
