/**
Confines the thread that starts the rule tools; the tools inherit the restrictions. They are layered: files hidden by the namespaces cannot be named, visible files are read-only, Landlock allows only the listed ones, and the only capabilities left concern networks.
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
import {ownIdMaps} from '../syscalls/id-maps.js';
import {
	fileRights, landlockVersion, restrictFiles, type LandlockRule,
} from '../syscalls/landlock.js';
import {
	leaveMountNamespace, leavePidNamespace, makeRoot, mount, mountFlags, restrictMounts, unmount,
} from '../syscalls/mounts.js';
import {giveUpNewPrivileges, setFilter} from '../syscalls/seccomp.js';
import type {FoundProgram} from './programs.js';
import {socketFilter} from './socket-filter.js';
import {foldersAbove, viewFor, type ViewEntry} from './view.js';

/** The restrictions by name. A test disables one to see that it is the one that denies access. */
export const wallNames = ['files', 'capabilities', 'landlock', 'sockets'] as const;
export type WallName = (typeof wallNames)[number];

/** Which optional restrictions are in place. The namespaces and the limit on capabilities are mandatory: without them no tool is run. */
export type StandingWalls = {
	/** The version of Landlock's interface; 0 if this kernel lacks it or did not enable it. */
	readonly landlock: number;
	/** Whether the sockets are filtered; if not, why. */
	readonly sockets: true | string;
};

/** Where the new root is assembled: a folder that exists on every machine the testbed runs on, and that the tools get a new version of anyway. Only this thread sees it. */
const building = 'proc';
const {readOnly, noSetuid, noDevices, noExecute, remount, bind} = mountFlags;

const flagsOf = {
	libraries: readOnly | noSetuid | noDevices,
	program: readOnly | noSetuid | noDevices,
	data: readOnly | noSetuid | noDevices | noExecute,
	device: readOnly | noSetuid | noExecute,
} as const;

/** The temporary path of `mount`. */
const mountInside = '/mount';

/** Adds one entry of the view. Paths are relative: the working folder is the thread's original root. */
function place(entry: ViewEntry, {isInitial}: {readonly isInitial: boolean}): void {
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

	const source = entry.source.slice(1);
	try {
		mount({source, target, flags: bind});
	} catch (error) {
		if (isInitial || entry.kind !== 'folder') {
			throw error;
		}

		// A user namespace may not look below mounts that others made (`has_locked_children` in fs/namespace.c), such as /usr/lib/wsl, so these come along.
		mount({source, target, flags: bind | mountFlags.recursive});
		restrictMounts(target);
	}

	mount({target, flags: remount | bind | flagsOf[entry.use]});
}

/** Why a user namespace may not mount a /proc (`mount_too_revealing` in fs/namespace.c), and what helps. */
const hiddenProc = 'In a user namespace this works only if no parts of /proc are hidden, as they are in a container. Start the container with --security-opt systempaths=unconfined, or run it as root.';

/** Gives this thread a root with the view, and the tools their own processes. For the latter, the root temporarily has `mount`. */
function raiseFiles(view: readonly ViewEntry[], {mountProgram, init}: {readonly mountProgram: string; readonly init: FoundProgram}): void {
	// Before /proc is gone.
	const {isInitial} = ownIdMaps();
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
		place(entry, {isInitial});
	}

	makeRoot(building, () => {
		raiseProcesses(init, {isInitial});
	});
	mount({target: '/', flags: remount | bind | readOnly | noSetuid | noDevices | noExecute});
}

/**
Puts the tools into their own PID namespace, with a /proc that shows only them.

A /proc shows the PID namespace of the process that mounts it, and a thread cannot change its own; so \`mount\` runs as the second process in the new namespace. The first, its init, is a tool that waits for input that never comes. When this process ends, however it ends, that input closes, so the init ends, and all tools with it.
*/
function raiseProcesses({file, name}: FoundProgram, {isInitial}: {readonly isInitial: boolean}): void {
	leavePidNamespace();
	const {read} = createPipe();
	spawn(file, name === 'ip' ? ['-batch', '-'] : ['-f', '-'], {argv0: name, env: {}, stdio: [read, 'ignore', 'ignore']}).unref();
	closeSync(read);
	const {status, stderr, error} = spawnSync(mountInside, ['-t', 'proc', '-o', 'ro,nosuid,nodev,noexec', 'proc', '/proc'], {argv0: 'mount', env: {LC_ALL: 'C'}, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe']});
	if (status !== 0) {
		// Only the first line says it; the second points to dmesg.
		const [said = ''] = (error?.message ?? stderr).trim().split('\n');
		throw new TestbedError('MACHINE', {message: `mounting /proc for the tools failed: ${said}`, ...(isInitial ? {} : {hint: hiddenProc})});
	}

	unmount(mountInside);
	unlinkSync(mountInside);
}

/** What Landlock allows in the view: reading libraries and data, running programs and their loaders, and writing to devices. */
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
		return `the system call numbers of ${process.arch} are unknown`;
	}

	try {
		setFilter(filter);
		return true;
	} catch (error) {
		return (error as Error).message;
	}
}

/**
Permanently confines this thread and everything that it starts from now on. The thread must already have read all files of the machine that it needs.

@throws {TestbedError} SYSCALL_FAILED if the namespaces cannot be created or a capability cannot be dropped.
*/
export function raiseWalls({programs, mountProgram, without}: {readonly programs: readonly FoundProgram[]; readonly mountProgram: string; readonly without: readonly WallName[]}): StandingWalls {
	const view = viewFor(programs);
	if (!without.includes('files')) {
		const init = programs.find(({name, startedBy}) => (name === 'ip' || name === 'nft') && startedBy.length < 2);
		if (init === undefined) {
			throw missingProgram('ip');
		}

		raiseFiles(view, {mountProgram, init});
	}

	giveUpNewPrivileges();
	if (!without.includes('capabilities')) {
		boundCapabilities([capabilities.netAdmin, capabilities.netRaw]);
	}

	const landlock = without.includes('landlock') ? 0 : landlockVersion();
	if (landlock > 0) {
		restrictFiles(landlock, landlockRules(view, programs));
	}

	return {landlock, sockets: without.includes('sockets') ? 'disabled' : raiseSockets()};
}
