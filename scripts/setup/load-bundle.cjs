'use strict';

const {Buffer} = require('node:buffer');
const {createHash} = require('node:crypto');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const process = require('node:process');
const vm = require('node:vm');
const {kernelCommands, testbedNeedsKernel} = require('./acts.cjs');
const {runToEnd} = require('./run-to-end.cjs');
const {writeWhole} = require('./write-whole.cjs');

/**
Loads a bundle like `require`, but with the code that V8 compiled for it at an earlier start: the command line takes 60 ms of processor time to load without it and 23 ms with it (Node 20.20; every command pays that). Node has `module.enableCompileCache` for this since 22.1, which does not help Debian's Node 20.

The code is kept by command: V8 keeps the functions that were called, so what `--version` left behind would be of no use to `run` (which then took 840 ms instead of 740 on a busy machine).

V8 itself refuses code of another version, of other flags, and of a source of another length (`cachedDataRejected`), but not of another source of the same length, and it does not notice damage. Hence the two hashes in front of the code.
*/

const hashBytes = 32;
const hashOf = bytes => createHash('sha256').update(bytes).digest();

/** Beside `bin`, not in it, because the package ships `dist/bin`. */
function cacheFileOf(file, use) {
	return path.join(path.dirname(file), '../.compiled', `${path.basename(file)}.${use}.cache`);
}

/** The compiled code, or undefined if there is none for this source. */
function readCache(cacheFile, source) {
	let bytes;
	try {
		bytes = fs.readFileSync(cacheFile);
	} catch {
		return undefined; // The next end of a program writes it.
	}

	const code = bytes.subarray(2 * hashBytes);
	const stands = hashOf(source).equals(bytes.subarray(0, hashBytes)) && hashOf(code).equals(bytes.subarray(hashBytes, 2 * hashBytes));
	return stands ? code : undefined;
}

/**
Loads a bundle in CommonJS.

@param {string} file Its absolute path.
@param {string} use What it will do, as a short word: each use has compiled code of its own.
@returns {{exports: object, save: () => boolean}} What it exports, and a function to call when the program has ended: it writes the compiled code if there was none, with all functions that were called, and says whether it tried.
*/
function loadBundle(file, use) {
	const source = fs.readFileSync(file);
	const cacheFile = cacheFileOf(file, use);
	const cachedData = readCache(cacheFile, source);
	// No bundle imports anything at run time today: esbuild takes in what the sources import. An import would work, with a warning of Node 20 that this constant is experimental.
	const script = new vm.Script(Module.wrap(source.toString('utf8')), {
		filename: file, cachedData, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
	});
	const bundle = {exports: {}};
	script.runInThisContext()(bundle.exports, Module.createRequire(file), bundle, file, path.dirname(file));
	return {
		exports: bundle.exports,
		save() {
			const lacks = cachedData === undefined || script.cachedDataRejected === true;
			if (lacks) {
				const code = script.createCachedData();
				writeWhole(cacheFile, Buffer.concat([hashOf(source), hashOf(code), code]), {makesFolder: true});
			}

			return lacks;
		},
	};
}

/** What a command line uses the bundle for. What is over in a moment (help, versions, a report made of files) shares its code. */
function useOf(argv) {
	if (!testbedNeedsKernel(argv)) {
		return 'other';
	}

	return kernelCommands.has(argv[0]) ? argv[0] : 'run';
}

/** The exit statuses of a command that did its work; after a usage error or on a machine that cannot do it, most functions were never called. */
const worked = new Set([0, 1, 3]);

/**
Loads the bundle of a program, runs it to its end, and keeps its compiled code.

@param {string} file Its absolute path. It exports `main`, which returns the exit status.
@param {string[]} argv
@param {object} started How it was started, for `main`.
@returns {Promise<boolean>} Whether compiled code was written, or would have been.
*/
async function runBundle(file, argv, started) {
	const {exports: {main}, save} = loadBundle(file, useOf(argv));
	await runToEnd(async () => main(argv, started));
	return worked.has(process.exitCode) && save();
}

module.exports = {loadBundle, runBundle, useOf};
