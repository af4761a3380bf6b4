/**
Replaces the program of this process (execve(2)). The process keeps its PID, its parent, its terminal and its standard streams, so whoever started it notices nothing.
*/

import {checked, libc} from './libc.js';

const libcExecve = libc.func('int execve(const char *file, const char **argv, const char **envp)');
const libcFcntl = libc.func('int fcntl(int fd, int command, int value)');

const setDescriptorFlags = 2; // F_SETFD

/** Lets a descriptor stay open in the program that replaces this one. */
export function keepOpen(fd: number): void {
	checked('fcntl(F_SETFD)', libcFcntl(fd, setDescriptorFlags, 0) as number);
}

/**
Starts another program in this process, which ends all its threads; nothing that follows runs.

@param program.file The path of the program; PATH is not searched.
@param program.argv The arguments, the first of which is the name that the program is called by.
@throws {TestbedError} SYSCALL_FAILED if the program cannot be started.
*/
export function replaceProcess({file, argv, environment}: {readonly file: string; readonly argv: readonly string[]; readonly environment: Readonly<Record<string, string>>}): never {
	// Node has made programs not inherit these (uv_disable_stdio_inheritance).
	for (const fd of [0, 1, 2]) {
		keepOpen(fd);
	}

	checked(`execve(${file})`, libcExecve(file, [...argv, null], [...Object.entries(environment).map(([name, value]) => `${name}=${value}`), null]) as number);
	throw new Error('execve returned without an error');
}
