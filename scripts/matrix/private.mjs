import {spawn} from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

/*
Everything that the matrix makes lies in namespaces of its own: mounts and processes that end with it, however it ends. What would be left after a SIGKILL (a half-made root with /proc mounted in it, a guest, a test's process) is gone with the namespaces.
*/

/** `unshare` arguments for namespaces that end with their parent and kill all their processes, with separate mounts and a /proc of their own. */
const privately = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];

/**
The command line that runs a command in private namespaces. The shell in between is the first process of the namespace, and reaps orphaned processes.

@param {string} prepare Shell commands to run first; only the command sees their mounts. Their arguments `$1` … are `given`, and they shift off their own.
@param {readonly string[]} given the command
@param {readonly string[]} [further] options of unshare for further namespaces
*/
export function privateCommand(prepare, given, further = []) {
	return [...privately, ...further, 'sh', '-euc', `${prepare}\n"$@" && exit 0 || exit $?`, 'matrix', ...given];
}

/**
Runs a command with our own stdout and stderr, or passing its output on line by line.

@param {{env?: NodeJS.ProcessEnv, cwd?: string, onLine?: (line: string) => void, limitMs?: number}} [options] After `limitMs` the command is killed, in case it hangs.
@returns {Promise<{status: number, ending: string, text: string}>} `text` is its output, if `onLine` was given. `status` is -1 if a signal killed it or it could not be started.
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
