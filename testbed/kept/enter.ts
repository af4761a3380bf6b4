/**
Runs a shell or a command in a kept sandbox, as one of its actors.
*/

import {spawn} from 'node:child_process';
import {constants} from 'node:os';
import process from 'node:process';
import {Netns} from '../sandbox/netns.js';
import {searchPath} from '../system/commands.js';
import {missingProgram} from '../system/missing-program.js';
import {pathOfNamespace, type KeptActor, type KeptNamespace, type KeptSandbox} from './note.js';

/** Signals that the terminal also sends to the shell, which handles them. */
const signals = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM'] as const;

/**
Runs a command, or a shell if there is none, on this terminal, in an actor's namespace and as its user and group (setpriv(1)). Resolves with the exit status, or 128 + N after signal N.

@throws {TestbedError} MISSING_PROGRAM without setpriv.
*/
export async function enterAs({name, uid, gid}: KeptActor, {kept, namespace, command}: {
	readonly kept: KeptSandbox; readonly namespace: KeptNamespace; readonly command: readonly string[];
}): Promise<number> {
	await using netns = Netns.open(namespace.label, pathOfNamespace(namespace.name));
	const prompt = `${name} (uid ${uid}) in ${kept.id} ${namespace.label}:\\w$ `;
	// Without startup files: another user's home is not readable.
	const program = command.length > 0 ? command : ['bash', '--norc', '--noprofile'];
	const child = netns.enter(() => spawn('setpriv', [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--', ...program], {
		cwd: '/', stdio: 'inherit', env: {
			...process.env, PATH: searchPath, HOME: '/', PS1: prompt,
		},
	}));
	const ignore = (): void => undefined;
	for (const signal of signals) {
		process.on(signal, ignore);
	}

	try {
		return await new Promise<number>((resolve, reject) => {
			child.once('error', (error: NodeJS.ErrnoException) => {
				reject(error.code === 'ENOENT' ? missingProgram('setpriv', error) : error);
			});
			child.once('exit', (exitCode, signal) => {
				resolve(exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]));
			});
		});
	} finally {
		for (const signal of signals) {
			process.off(signal, ignore);
		}
	}
}
