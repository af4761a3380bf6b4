/**
`--keep` gives the namespaces names; `testbed clean` removes what `--keep` left, and only that: each name is noted with the number and the cookie of its namespace, and one that means another namespace by now is left alone.
*/

import {randomBytes} from 'node:crypto';
import {
	closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {run} from '../system/exec.js';
import {netnsCookie} from '../syscalls/netns-cookie.js';
import type {Netns} from './netns.js';
import type {Sandbox} from './sandbox.js';

/** Where the names are noted. It is emptied by a boot, and so are named namespaces. */
export const keptFolder = '/run/sidecar-netfilter-testbed';
const netnsFolder = '/run/netns';

/** Without a cookie where the kernel has none (before 5.14). */
type Note = {readonly name: string; readonly inode: number; readonly cookie?: string | undefined};

/** Names the namespaces of a sandbox and returns the lines that tell how to enter them. */
export async function keep(sandbox: Sandbox): Promise<readonly string[]> {
	const id = randomBytes(3).toString('hex');
	mkdirSync(keptFolder, {recursive: true, mode: 0o700});
	const lines: string[] = [];
	for (const netns of [sandbox.pod, sandbox.remote]) {
		lines.push(...await keepOne(netns, `testbed-${id}-${netns.label}`)); // eslint-disable-line no-await-in-loop -- One after the other: `ip netns` sets up its folder at the first.
	}

	return ['Kept. To enter, and to remove it all again:', ...lines, '  npm run testbed -- clean'];
}

async function keepOne(netns: Netns, name: string): Promise<readonly string[]> {
	// The note comes first: a name without a note would never be removed.
	writeFileSync(path.join(keptFolder, name), JSON.stringify({name, inode: netns.inode, cookie: netnsCookie(netns.descriptor)} satisfies Note));
	await netns.attach(name);
	return [`  ip netns exec ${name} bash`];
}

/** What became of each kept name. */
export type Cleaned = {readonly name: string; readonly result: 'removed' | 'gone already' | 'another namespace by now, left alone'};

/** What is to be done with a name: whether it still means the namespace that was kept. */
function meaningOf({name, inode, cookie}: Note): Cleaned['result'] {
	const file = path.join(netnsFolder, name);
	const found = statSync(file, {throwIfNoEntry: false})?.ino;
	if (found === undefined) {
		return 'gone already';
	}

	return found === inode && cookieOf(file) === cookie ? 'removed' : 'another namespace by now, left alone';
}

function cookieOf(file: string): string | undefined {
	const fd = openSync(file, 'r');
	try {
		return netnsCookie(fd);
	} finally {
		closeSync(fd);
	}
}

/** Removes what `--keep` left. */
export async function clean(): Promise<readonly Cleaned[]> {
	let notes: readonly string[];
	try {
		notes = readdirSync(keptFolder);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return []; // Nothing was ever kept since the boot.
		}

		throw error;
	}

	const cleaned = await Promise.all(notes.map(async file => {
		const note = JSON.parse(readFileSync(path.join(keptFolder, file), 'utf8')) as Note;
		const {name} = note;
		const result = meaningOf(note);
		if (result === 'removed') {
			await run('ip', ['netns', 'del', name]);
		}

		rmSync(path.join(keptFolder, file));
		return {name, result} satisfies Cleaned;
	}));
	rmSync(keptFolder, {recursive: true, force: true});
	return cleaned;
}
