/**
Notes on kept sandboxes, by which later commands find them and nothing else: a name that now refers to another namespace is left alone.
*/

import {
	closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type {Credentials} from '../../src/mesh/traffic.js';
import {netnsCookie} from '../syscalls/netns-cookie.js';

/** The folder of the notes and of the keepers' sockets. A reboot clears it, like named namespaces. */
export const keptFolder = '/run/sidecar-netfilter-testbed';

const netnsFolder = '/run/netns';

/** One named namespace. `label` is its name in the sandbox: `pod`, `remote`. Kernels before 5.14 have no cookie. */
export type KeptNamespace = {readonly label: string; readonly name: string; readonly inode: number; readonly cookie?: string | undefined};

/** An actor to enter a sandbox as: its user, and the label of its namespace. */
export type KeptActor = Credentials & {readonly name: string; readonly namespace: string};

/** One kept sandbox. `id` is the prefix of its names: `testbed-1a2b3c`. */
export type KeptSandbox = {readonly id: string; readonly namespaces: readonly KeptNamespace[]; readonly actors: readonly KeptActor[]};

/** The path by which `ip netns` and others know a namespace. */
export function pathOfNamespace(name: string): string {
	return path.join(netnsFolder, name);
}

/** The path of the socket on which a keeper waits to be ended. */
export function socketOf(id: string): string {
	return path.join(keptFolder, `${id}.sock`);
}

/** Writes the note of a sandbox, replacing an earlier one. */
export function writeNote(kept: KeptSandbox): void {
	mkdirSync(keptFolder, {recursive: true, mode: 0o700});
	writeFileSync(noteOf(kept.id), `${JSON.stringify(kept)}\n`, {mode: 0o600});
}

/** Removes the note of a sandbox, and the folder with the last one. */
export function removeNote(id: string): void {
	rmSync(noteOf(id), {force: true});
	rmSync(socketOf(id), {force: true});
	try {
		if (readdirSync(keptFolder).length === 0) {
			rmSync(keptFolder, {recursive: true});
		}
	} catch {
		// Another process has just removed it or put something into it.
	}
}

/** All notes, newest last. */
export function readNotes(): readonly KeptSandbox[] {
	let files: readonly string[];
	try {
		files = readdirSync(keptFolder).filter(file => file.endsWith('.json'));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return []; // Nothing was kept since boot.
		}

		throw error;
	}

	return files
		.map(file => path.join(keptFolder, file))
		.map(file => ({kept: JSON.parse(readFileSync(file, 'utf8')) as KeptSandbox, age: statSync(file).mtimeMs}))
		.toSorted((one, other) => one.age - other.age)
		.map(({kept}) => kept);
}

function noteOf(id: string): string {
	return path.join(keptFolder, `${id}.json`);
}

/** What a name refers to now: the kept namespace, nothing, or another namespace. */
export function meaningOf({name, inode, cookie}: KeptNamespace): 'kept' | 'gone' | 'foreign' {
	const file = pathOfNamespace(name);
	const found = statSync(file, {throwIfNoEntry: false})?.ino;
	if (found === undefined) {
		return 'gone';
	}

	return found === inode && cookieOf(file) === cookie ? 'kept' : 'foreign';
}

function cookieOf(file: string): string | undefined {
	const fd = openSync(file, 'r');
	try {
		return netnsCookie(fd);
	} finally {
		closeSync(fd);
	}
}
