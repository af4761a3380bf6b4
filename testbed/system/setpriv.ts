/**
Programs that must not outlive this process, however it ends: setpriv (util-linux) asks the kernel for their death.
*/

import {existsSync, realpathSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** Util-linux's setpriv; undefined if it is missing, or is BusyBox's, which has no such option. */
export function findSetpriv(): string | undefined {
	return ['/usr/bin/setpriv', '/bin/setpriv'].find(file => existsSync(file) && path.basename(realpathSync(file)) === 'setpriv');
}

/**
The arguments of setpriv that start a program which gets a signal when this process ends. The shell ends if this process has ended before setpriv could ask for that. Each part replaces the one before it, so the PID stays the same.
*/
export function outlivesNobody(command: readonly string[], signal: 'KILL' | 'TERM' = 'KILL'): readonly string[] {
	return [`--pdeathsig=${signal}`, 'sh', '-c', '[ "$PPID" = "$0" ] && exec "$@"', String(process.pid), ...command];
}
