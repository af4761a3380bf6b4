/**
The walls around the rule tools, raised in the thread that starts them; its processes are born behind them. They stand one behind the other: what the namespaces hide cannot be named, what can be named is read-only, and Landlock allows of that only what is listed; and a program's rights end at the network.
*/

import process from 'node:process';
import {spawn, spawnSync} from 'node:child_process';
import {
	closeSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {TestbedError} from '../errors.js';
import {missingProgram} from '../system/missing-program.js';
import {boundCapabilities, capabilities} from '../syscalls/capability-bounds.js';
import {createPipe} from '../syscalls/descriptors.js';
import {
	fileRights, landlockVersion, restrictFiles, type LandlockRule,
} from '../syscalls/landlock.js';
import {
	leaveMountNamespace, leavePidNamespace, makeRoot, mount, mountFlags, unmount,
} from '../syscalls/mounts.js';
import {giveUpNewPrivileges, setFilter} from '../syscalls/seccomp.js';
import type {FoundProgram} from './programs.js';
import {socketFilter} from './socket-filter.js';
import {foldersAbove, viewFor, type ViewEntry} from './view.js';

/** The walls by name. A test takes one down to see that it is the one that denies. */
export const wallNames = ['files', 'capabilities', 'landlock', 'sockets'] as const;
export type WallName = (typeof wallNames)[number];

/** Which walls stand. The namespaces and the bound on capabilities always do, or no tool is run. */
export type StandingWalls = {
	/** The version of Landlock's interface; 0 where this kernel has none or did not switch it on. */
	readonly landlock: number;
	/** Whether the sockets are filtered; if not, why. */
	readonly sockets: true | string;
};

/** Where the new root is put together: the one folder that is there on every machine on which the testbed runs, and that the tools get anew anyway. In this thread alone. */
const building = 'proc';
const {readOnly, noSetuid, noDevices, noExecute, remount, bind} = mountFlags;

const flagsOf = {
	libraries: readOnly | noSetuid | noDevices,
	program: readOnly | noSetuid | noDevices,
	data: readOnly | noSetuid | noDevices | noExecute,
	device: readOnly | noSetuid | noExecute,
} as const;

/** Where `mount` is while it is needed. */
const mountInside = '/mount';

/** Puts one entry of the view in its place. Paths are relative: the working folder is the root that the thread had. */
function place(entry: ViewEntry): void {
	const target = path.join(building, entry.path);
	if (entry.kind === 'link') {
		symlinkSync(entry.target, target);
		return;
	}

	if (entry.kind === 'folder') {
		mkdirSync(target, {recursive: true});
	} else {
		writeFileSync(target, '');
	}

	mount({source: entry.source.slice(1), target, flags: bind});
	mount({target, flags: remount | bind | flagsOf[entry.use]});
}

/** Gives this thread a root that holds the view and a `mount` that the tools do not keep. */
function raiseFiles(view: readonly ViewEntry[], mountProgram: string): void {
	leaveMountNamespace();
	mount({
		source: 'tmpfs', target: building, type: 'tmpfs', flags: noSetuid | noDevices, data: 'mode=755,size=1m',
	});
	for (const folder of [...foldersAbove(view), '/proc']) {
		mkdirSync(path.join(building, folder), {recursive: true});
	}

	const entries: readonly ViewEntry[] = [...view, {
		kind: 'file', path: mountInside, source: mountProgram, use: 'program',
	}];
	for (const entry of entries) {
		place(entry);
	}

	makeRoot(building);
}

/**
Puts the tools into a PID namespace of their own, with a /proc that shows nobody but them, and takes from the root what could be written to.

A /proc is of the namespace in which the process lives that mounts it, and a thread cannot change its own; so the second process there is \`mount\`. The first, without which there can be no others, is a tool that waits for a line that never comes. It ends with this process, however that ends, for its input closes then; and with it all tools do.
*/
function raiseProcesses({file, name}: FoundProgram): void {
	leavePidNamespace();
	const {read} = createPipe();
	spawn(file, name === 'ip' ? ['-batch', '-'] : ['-f', '-'], {argv0: name, env: {}, stdio: [read, 'ignore', 'ignore']}).unref();
	closeSync(read);
	const {status, stderr, error} = spawnSync(mountInside, ['-t', 'proc', '-o', 'ro,nosuid,nodev,noexec', 'proc', '/proc'], {argv0: 'mount', env: {LC_ALL: 'C'}, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe']});
	if (status !== 0) {
		throw new TestbedError('MACHINE', {message: `mounting /proc for them failed: ${error?.message ?? stderr.trim()}`});
	}

	unmount(mountInside);
	unlinkSync(mountInside);
	mount({target: '/', flags: remount | bind | readOnly | noSetuid | noDevices | noExecute});
}

/** What Landlock leaves of the view: libraries and data can be read, programs and their loaders run, and devices written to. */
function landlockRules(view: readonly ViewEntry[], programs: readonly FoundProgram[]): readonly LandlockRule[] {
	const {execute, readFile, readFolder, writeFile} = fileRights;
	return [
		...view.filter(entry => entry.kind !== 'link').map((entry): LandlockRule => ({
			path: entry.path, isFolder: entry.kind === 'folder', rights: readFile | readFolder | (entry.use === 'device' ? writeFile : 0n),
		})),
		...[...new Set(programs.flatMap(({file, startedBy}) => [file, ...startedBy]))].map((file): LandlockRule => ({path: file, isFolder: false, rights: execute | readFile})),
		{path: '/proc', isFolder: true, rights: readFile | readFolder},
	];
}

function raiseSockets(): true | string {
	const filter = socketFilter(process.arch);
	if (filter === undefined) {
		return `the numbers of system calls on ${process.arch} are not known here`;
	}

	try {
		setFilter(filter);
		return true;
	} catch (error) {
		return (error as Error).message;
	}
}

/**
Raises the walls around this thread and all that it starts from now on, for good. What the thread needs of the machine's files it must have read before.

@throws {TestbedError} SYSCALL_FAILED when the namespaces cannot be made or a capability cannot be given up.
*/
export function raiseWalls({programs, mountProgram, without}: {readonly programs: readonly FoundProgram[]; readonly mountProgram: string; readonly without: readonly WallName[]}): StandingWalls {
	const view = viewFor(programs);
	if (!without.includes('files')) {
		const init = programs.find(({name, startedBy}) => (name === 'ip' || name === 'nft') && startedBy.length < 2);
		if (init === undefined) {
			throw missingProgram('ip');
		}

		raiseFiles(view, mountProgram);
		raiseProcesses(init);
	}

	giveUpNewPrivileges();
	if (!without.includes('capabilities')) {
		boundCapabilities([capabilities.netAdmin, capabilities.netRaw]);
	}

	const landlock = without.includes('landlock') ? 0 : landlockVersion();
	if (landlock > 0) {
		restrictFiles(landlock, landlockRules(view, programs));
	}

	return {landlock, sockets: without.includes('sockets') ? 'left out' : raiseSockets()};
}
