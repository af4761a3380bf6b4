import {spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

/*
Everything that the matrix makes lies in namespaces of its own: mounts and processes that end with it, however it ends. What would be left after a SIGKILL (a half-made root with /proc mounted in it, a guest, a test's process) is gone with the namespaces.
*/

/** Ends with its parent, and takes all processes of its namespace with it; mounts of its own, and a /proc that shows its own processes. */
const privately = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];

/**
The command line that runs a command in private namespaces. The shell in between is the first process of the namespace, and takes in those whose parents died.

@param {string} prepare Shell words that are run first; what they mount is seen by the command alone. Its arguments `$1` … are `given`, and it shifts those that are its own.
*/
export function privateCommand(prepare, given) {
	return [...privately, 'sh', '-euc', `${prepare}\n"$@" && exit 0 || exit $?`, 'matrix', ...given];
}

/**
Runs a command with our own stdout and stderr, or with its output given line by line.

@param {{env?: NodeJS.ProcessEnv, cwd?: string, onLine?: (line: string) => void, limitMs?: number}} [options] `limitMs` is for a hang: after it the command is killed.
@returns {Promise<{status: number, ending: string, text: string}>} `text` is what it printed, where `onLine` was given. `status` is -1 where a signal ended it or it could not be started.
*/
export function run([program, ...given], {env = process.env, cwd, onLine, limitMs} = {}) {
	return new Promise(resolve => {
		let text = '';
		let rest = '';
		const output = onLine === undefined ? 'inherit' : 'pipe';
		const child = spawn(program, given, {env, cwd, stdio: ['ignore', output, output]});
		for (const stream of onLine ? [child.stdout, child.stderr] : []) {
			stream.setEncoding('utf8');
			stream.on('data', chunk => {
				text += chunk;
				const lines = (rest + chunk).split('\n');
				rest = lines.pop();
				for (const line of lines) {
					onLine(line);
				}
			});
		}

		const hang = () => {
			child.kill('SIGKILL');
		};

		const timer = limitMs === undefined ? undefined : setTimeout(hang, limitMs);
		child.on('error', error => {
			clearTimeout(timer);
			resolve({status: -1, ending: `${path.basename(program)}: ${error.message}`, text});
		});
		child.on('close', (status, signal) => {
			clearTimeout(timer);
			resolve({status: status ?? -1, ending: signal === null ? `exit status ${status}` : `signal ${signal}`, text});
		});
	});
}
