/**
What `/proc/PID/task` says of the threads of a process (proc_pid_task(5)).
*/

import {readdirSync, readFileSync} from 'node:fs';

/** The state of a thread in its `stat`: the field after the name, which is in parentheses and may have some itself. */
const statePattern = /\) (?<state>[A-Za-z]) [^)]*$/u;

/** Whether a thread sleeps until an event, by its `stat`. */
export function isAsleep(stat: string): boolean {
	return statePattern.exec(stat)?.groups?.['state'] === 'S';
}

/** Whether each thread of a process sleeps until an event, so that none is in the middle of something. False also if the process is gone. */
export function areAllAsleep(pid: number): boolean {
	try {
		return readdirSync(`/proc/${pid}/task`).every(thread => isAsleep(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')));
	} catch {
		return false;
	}
}
