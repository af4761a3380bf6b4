/**
The user namespace of this process: which UIDs and GIDs exist in it (user_namespaces(7)). Without FFI.
*/

import {readFileSync, statSync} from 'node:fs';

/** A row of /proc/PID/uid_map or gid_map: `count` IDs from `inside` on are those from `outside` on of the parent namespace. */
export type IdRange = {readonly inside: number; readonly outside: number; readonly count: number};

/** `isInitial`: in the machine's own user namespace, in which every ID exists. */
export type IdMaps = {readonly isInitial: boolean; readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[]};

const initialInode = 0xEF_FF_FF_FD; // PROC_USER_INIT_INO (linux/proc_ns.h)

/** The rows of such a file. */
export function parseIdMap(text: string): readonly IdRange[] {
	return text.split('\n').filter(line => line.trim() !== '').map(line => {
		const [inside = 0, outside = 0, count = 0] = line.trim().split(/\s+/u).map(Number);
		return {inside, outside, count};
	});
}

let own: IdMaps | undefined;

/** The IDs of this process's user namespace, which it never leaves. */
export function ownIdMaps(): IdMaps {
	own ??= {
		isInitial: statSync('/proc/self/ns/user').ino === initialInode,
		uids: parseIdMap(readFileSync('/proc/self/uid_map', 'utf8')),
		gids: parseIdMap(readFileSync('/proc/self/gid_map', 'utf8')),
	};
	return own;
}

/** An ID as the parent namespace has it; undefined if it does not exist. */
export function outsideOf(ranges: readonly IdRange[], id: number): number | undefined {
	const found = ranges.find(({inside, count}) => id >= inside && id < inside + count);
	return found === undefined ? undefined : found.outside + id - found.inside;
}

/** Whether an interval (both ends included, which must exist) contains the same IDs by the numbers of the parent namespace. */
export function isSameOutside(ranges: readonly IdRange[], {from, to}: {readonly from: number; readonly to: number}): boolean {
	const [low, high] = [outsideOf(ranges, from)!, outsideOf(ranges, to)!];
	return ranges.every(({inside, outside, count}) => {
		const here = [Math.max(inside, from), Math.min(inside + count - 1, to)];
		const there = [Math.max(outside, low), Math.min(outside + count - 1, high)].map(id => id - outside + inside);
		const isNoneHere = here[0]! > here[1]!;
		return isNoneHere ? there[0]! > there[1]! : here[0] === there[0] && here[1] === there[1];
	});
}
