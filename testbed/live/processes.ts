/**
Processes of a namespace, from /proc: who they are, and which sockets they have.
*/

import process from 'node:process';
import {
	readdirSync, readFileSync, readlinkSync, statSync,
} from 'node:fs';
import type {LiveListener} from './live-pod.js';
import type {WaitingSocket} from './sockets.js';

/** The namespace of a process by number; undefined if it cannot be looked at, or has ended. */
function netnsOf(pid: number): string | undefined {
	try {
		const {dev, ino} = statSync(`/proc/${pid}/ns/net`);
		return `${dev} ${ino}`;
	} catch {
		return undefined;
	}
}

/** The processes in the namespace of a descriptor of this process, without this one. */
export function processesIn(netns: number): readonly number[] {
	const {dev, ino} = statSync(`/proc/self/fd/${netns}`);
	return readdirSync('/proc').map(Number).filter(pid => pid > 0 && pid !== process.pid && netnsOf(pid) === `${dev} ${ino}`);
}

/** The name of a process; null if it has ended. */
export function nameOfProcess(pid: number): string | null {
	try {
		return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
	} catch {
		return null;
	}
}

/** When a process was started, in ticks since boot: another process with its number has another one. Undefined if there is none. */
export function startOfProcess(pid: number): string | undefined {
	try {
		// The name before it can contain spaces and parentheses.
		return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/su, '').trim().split(' ')[19];
	} catch {
		return undefined;
	}
}

type Holder = {readonly process: string | null; readonly gid: number};

/** The first process that has each socket, and the group that the kernel noted when the socket was created. */
function holdersOf(sockets: readonly WaitingSocket[], pids: readonly number[]): ReadonlyMap<number, Holder> {
	const wanted = new Set(sockets.map(({inode}) => inode));
	const found = new Map<number, Holder>();
	for (const pid of pids) {
		for (const fd of descriptorsOf(pid)) {
			try {
				const inode = Number(/^socket:\[(\d+)\]$/u.exec(readlinkSync(fd))?.[1]);
				if (wanted.has(inode) && !found.has(inode)) {
					found.set(inode, {process: nameOfProcess(pid), gid: statSync(fd).gid});
				}
			} catch {} // It was closed meanwhile.
		}
	}

	return found;
}

function descriptorsOf(pid: number): readonly string[] {
	try {
		return readdirSync(`/proc/${pid}/fd`).map(fd => `/proc/${pid}/fd/${fd}`);
	} catch {
		return []; // It has ended, or may not be looked at.
	}
}

/** The numbers of users or groups in a process's user namespace, by those of this one: `uid_map` or `gid_map` (user_namespaces(7)). Rules of its network namespace use the inner numbers. */
function innerIds(pid: number | undefined, file: 'uid_map' | 'gid_map'): (id: number) => number {
	let ranges: ReadonlyArray<readonly number[]> = [];
	try {
		ranges = pid === undefined ? [] : readFileSync(`/proc/${pid}/${file}`, 'utf8').trim().split('\n').map(line => line.trim().split(/\s+/u).map(Number));
	} catch {} // It has ended: then the numbers are shown as they are.

	return id => {
		const [inside, outside] = ranges.find(([, first, count]) => id >= first! && id < first! + count!) ?? [id, id];
		return inside! + id - outside!;
	};
}

/** Sockets with the processes that have them; one socket per protocol, port, address and user. */
export function listenersOf(sockets: readonly WaitingSocket[], pids: readonly number[]): readonly LiveListener[] {
	const holders = holdersOf(sockets, pids);
	const [uidOf, gidOf] = [innerIds(pids[0], 'uid_map'), innerIds(pids[0], 'gid_map')];
	const listeners = sockets.map(({inode, uid, ...socket}): LiveListener => {
		const holder = holders.get(inode);
		return {...socket, uid: uidOf(uid), gid: holder === undefined ? null : gidOf(holder.gid), process: holder?.process ?? null};
	});
	return [...new Map(listeners.map(listener => [JSON.stringify(listener), listener])).values()];
}
