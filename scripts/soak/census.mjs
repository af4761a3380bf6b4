/**
A count of everything on the campaign's own machine (`ground.mjs`): what is there after a run and was not there before is left behind. Nothing is told apart by its name or folder, so nothing that a run starts can hide.
*/

import {
	lstatSync, readdirSync, readFileSync, readlinkSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';

/** @typedef {ReadonlyMap<string, string>} Census what is there: a key by which it is the same later, and a sentence if it is new */

/** The kernel's lists of sockets, with the column that has the inode, by which a socket is told from others. */
const socketLists = {
	tcp: 9, tcp6: 9, udp: 9, udp6: 9, raw: 9, raw6: 9, unix: 6, netlink: 9, packet: 8,
};

/** The state of a TCP connection that no socket has any more (TIME_WAIT, net/tcp_states.h). */
const timeWait = '06';

function tryTo(read, fallback) {
	try {
		return read();
	} catch {
		return fallback; // It ended meanwhile.
	}
}

function * processes() {
	for (const pid of readdirSync('/proc').filter(name => /^\d+$/u.test(name) && Number(name) !== process.pid)) {
		const status = tryTo(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), undefined);
		if (status !== undefined) {
			// The time of its start tells it from a later process with the same number (proc(5), field 22).
			const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
			const words = tryTo(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '').replaceAll('\0', ' ').trim();
			yield [`process ${pid} ${fields[19]}`, `Process ${pid} (state ${fields[0]}) is left: ${words || status.slice(0, status.lastIndexOf(')') + 1)}`];
		}
	}
}

function * namespaces() {
	const links = [];
	for (const pid of readdirSync('/proc').filter(name => /^\d+$/u.test(name))) {
		for (const task of tryTo(() => readdirSync(`/proc/${pid}/task`), [])) {
			links.push(...tryTo(() => readdirSync(`/proc/${pid}/task/${task}/ns`), []).map(name => tryTo(() => readlinkSync(`/proc/${pid}/task/${task}/ns/${name}`), '')));
		}

		links.push(...tryTo(() => readdirSync(`/proc/${pid}/fd`), []).map(fd => tryTo(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '')));
	}

	for (const link of links.filter(one => /^(?:cgroup|ipc|mnt|net|pid|time|user|uts):\[/u.test(one))) {
		yield [`namespace ${link}`, `A namespace is left: ${link}.`];
	}
}

function * mounts() {
	for (const line of readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')) {
		const fields = line.split(' '); // See proc(5), mountinfo.
		yield [`mount ${fields[0]} ${fields[4]}`, `A mount is left: ${fields[3]} at ${fields[4]}.`];
	}
}

function * filesIn(folder) {
	for (const name of tryTo(() => readdirSync(folder), [])) {
		const file = path.join(folder, name);
		const status = tryTo(() => lstatSync(file), undefined);
		if (status !== undefined) {
			yield [`file ${file} ${status.ino}`, `A file is left: ${file}.`];
			if (status.isDirectory()) {
				yield * filesIn(file);
			}
		}
	}
}

function * sockets() {
	for (const [list, column] of Object.entries(socketLists)) {
		for (const line of tryTo(() => readFileSync(`/proc/net/${list}`, 'utf8'), '').trim().split('\n').slice(1)) {
			const fields = line.trim().split(/\s+/u);
			if (!(list.startsWith('tcp') && fields[3] === timeWait)) {
				yield [`socket ${list} ${fields[column]}`, `A socket is left (/proc/net/${list}): ${line.trim().replaceAll(/\s+/gu, ' ')}`];
			}
		}
	}
}

/**
Counts processes (but this one), namespaces, mounts, files in these folders, and sockets of this network namespace.

@param {readonly string[]} folders
@returns {Census}
*/
export function takeCensus(folders) {
	return new Map([...processes(), ...namespaces(), ...mounts(), ...folders.flatMap(folder => [...filesIn(folder)]), ...sockets()]);
}

/** What is new, a sentence each. @param {Census} before @param {Census} after @returns {readonly string[]} */
export function newSince(before, after) {
	return [...after].filter(([key]) => !before.has(key)).map(([, sentence]) => sentence);
}

/**
Waits until nothing is new: processes that were told to end take a moment. What is then still there counts as left behind.

@param {Census} before
@param {{folders: readonly string[], limitMs: number}} options
@returns {Promise<readonly string[]>} a sentence about each thing that stays
*/
export async function leftSince(before, {folders, limitMs}) {
	const deadline = performance.now() + limitMs;
	for (;;) {
		const left = newSince(before, takeCensus(folders));
		if (left.length === 0 || performance.now() > deadline) {
			return left;
		}

		await wait(20); // eslint-disable-line no-await-in-loop -- It waits for the end of processes.
	}
}
