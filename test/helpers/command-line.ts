/**
The command line as a process of its own, for commands that do not need the kernel.
*/

import process from 'node:process';
import {execa} from 'execa';

const script = 'import process from \'node:process\'; import {main} from \'./dist/testbed/cli/main.js\'; process.exitCode = await main(process.argv.slice(1));';

/** Runs it with these arguments and variables; standard output and error are pipes. */
export async function runCommandLine(given: readonly string[], {env = {}, input = ''}: {readonly env?: Readonly<Record<string, string>>; readonly input?: string} = {}): Promise<{readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string}> {
	const {exitCode, stdout, stderr} = await execa(process.execPath, ['--input-type=module', '-e', script, '--', ...given], {
		reject: false, stripFinalNewline: false, extendEnv: false, env: {PATH: process.env['PATH'] ?? '', ...env}, input,
	});
	return {exitCode, stdout, stderr};
}
