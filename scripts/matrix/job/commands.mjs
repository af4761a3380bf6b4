import {spawn} from 'node:child_process';
import fs from 'node:fs';

/**
Runs a command without input and with its output in two files.

@param {string[]} command The program and its arguments.
@param {{cwd: string, env: NodeJS.ProcessEnv, stdout: string, stderr: string}} options The file names; they may be the same.
@returns {Promise<{status: number, ending: string, seconds: number}>} `status` is -1 if a signal killed it or it did not start; `ending` says how it ended, in words.
*/
export function runToFiles([program, ...given], {cwd, env, stdout, stderr}) {
	const start = performance.now();
	const outputs = stdout === stderr ? [fs.openSync(stdout, 'a')] : [fs.openSync(stdout, 'a'), fs.openSync(stderr, 'a')];
	return new Promise(resolve => {
		const end = (status, ending) => {
			for (const output of outputs.splice(0)) {
				fs.closeSync(output);
			}

			resolve({status, ending, seconds: (performance.now() - start) / 1000});
		};

		const child = spawn(program, given, {cwd, env, stdio: ['ignore', outputs[0], outputs.at(-1)]});
		child.on('error', error => {
			end(-1, error.message);
		});
		child.on('close', (status, signal) => {
			end(status ?? -1, signal === null ? `exit status ${status}` : `signal ${signal}`);
		});
	});
}

/** The text of a file; empty if it does not exist. */
export function textOf(file) {
	return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
}
