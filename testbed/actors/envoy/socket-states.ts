/**
What `/proc/PID/net/tcp` and `tcp6` say of the sockets of a namespace (proc_pid_net(5)).
*/

import {readFileSync} from 'node:fs';

/** States of a socket that matter here (include/net/tcp_states.h). */
const states = {synSent: 2, listen: 10} as const;

/** The TCP sockets of one user. */
export type UserSockets = {
	/** Ports of listeners, as `ipv4 15001`. A port is there once for each listener. */
	readonly listening: ReadonlySet<string>;
	/** How many connections wait to be accepted by them. */
	readonly waiting: number;
	/** How many sockets have sent a first packet and have heard nothing yet. */
	readonly connecting: number;
};

const linePattern = /^\s*\d+: [\dA-F]+:(?<port>[\dA-F]{4}) [\dA-F]+:[\dA-F]{4} (?<state>[\dA-F]{2}) [\dA-F]{8}:(?<received>[\dA-F]{8}) \S+ \S+\s+(?<uid>\d+) /u;

/**
Reads both tables.

@throws {RangeError} for a line of another form.
*/
export function parseSockets(tables: {readonly ipv4: string; readonly ipv6: string}, uid: number): UserSockets {
	const listening = new Set<string>();
	let waiting = 0;
	let connecting = 0;
	for (const family of ['ipv4', 'ipv6'] as const) {
		for (const line of tables[family].split('\n').slice(1)) {
			if (line === '') {
				continue;
			}

			const {port, state, received, uid: owner} = linePattern.exec(line)?.groups ?? {};
			if (port === undefined || state === undefined || received === undefined) {
				throw new RangeError(`a line of the kernel's table of TCP sockets has an unknown form: ${line}`);
			}

			if (Number(owner) !== uid) {
				continue;
			}

			if (Number.parseInt(state, 16) === states.listen) {
				listening.add(`${family} ${Number.parseInt(port, 16)}`);
				waiting += Number.parseInt(received, 16);
			} else if (Number.parseInt(state, 16) === states.synSent) {
				connecting++;
			}
		}
	}

	return {listening, waiting, connecting};
}

/**
The TCP sockets of a user in the namespace of a process. The process must be there.

@throws {Error} as `readFileSync` does, and as {@link parseSockets} does.
*/
export function readSockets(pid: number, uid: number): UserSockets {
	const read = (name: string): string => readFileSync(`/proc/${pid}/net/${name}`, 'utf8');
	return parseSockets({ipv4: read('tcp'), ipv6: read('tcp6')}, uid);
}
