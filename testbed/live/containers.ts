/**
The first process of a container, from what its runtime writes down, or from crictl.
*/

import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {TestbedError} from '../errors.js';
import {CommandError} from '../system/commands.js';
import {run} from '../system/exec.js';
import {unreadable} from './namespace.js';

/** The variable that names another folder than /run for the files of runtimes. */
export const runFolderVariable = 'TESTBED_RUN_FOLDER';

/** Where runtimes have a folder for each container, the file in it, and how to read the process from its text. `*` stands for one folder. */
const stateFiles: ReadonlyArray<{readonly folder: string; readonly file: string; readonly pidOf: (text: string) => unknown}> = [
	// Containerd, also that of Docker (namespace moby) and of Kubernetes (k8s.io).
	{folder: 'containerd/io.containerd.runtime.v2.task/*', file: 'init.pid', pidOf: numberOf},
	// Runc, as started by CRI-O, Docker, containerd and by hand.
	...['runc', 'docker/runtime-runc/*', 'containerd/runc/*'].map(folder => ({folder, file: 'state.json', pidOf: (text: string) => keyOf(text, 'init_process_pid')})),
	// Crun, as started by CRI-O and Podman.
	{folder: 'crun', file: 'status', pidOf: text => keyOf(text, 'pid')},
	// Conmon, which watches the containers of CRI-O and Podman.
	{folder: 'containers/storage/*-containers', file: 'userdata/pidfile', pidOf: numberOf},
];

function numberOf(text: string): unknown {
	return /^\s*\d+\s*$/u.test(text) ? Number(text) : undefined;
}

function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

function keyOf(text: string, key: string): unknown {
	return (jsonOf(text) as Readonly<Record<string, unknown>> | null | undefined)?.[key];
}

function entriesOf(folder: string): readonly string[] {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}

/** The folders that a pattern names: its last `*`, or the `*` in its last part, stands for any name. */
function foldersOf(root: string, pattern: string): readonly string[] {
	let folders = [root];
	for (const part of pattern.split('/')) {
		const name = new RegExp(`^${part.replaceAll('.', String.raw`\.`).replaceAll('*', '.*')}$`, 'u');
		folders = folders.flatMap(folder => part.includes('*') ? entriesOf(folder).filter(entry => name.test(entry)).map(entry => path.join(folder, entry)) : [path.join(folder, part)]);
	}

	return folders;
}

type Found = {readonly id: string; readonly file: string; readonly pid: number};

/** The containers whose ID begins with a text, by the files of all runtimes. */
function containersIn(root: string, id: string): readonly Found[] {
	const placesIn = (folder: string, name: string) => entriesOf(folder).map(entry => ({entry, file: path.join(folder, entry, name)}));
	const places = stateFiles.flatMap(({folder: pattern, file: name, pidOf}) => foldersOf(root, pattern).flatMap(folder => placesIn(folder, name)).map(place => ({...place, pidOf})));
	return places.filter(({entry}) => entry.startsWith(id)).flatMap(({entry, file, pidOf}): readonly Found[] => {
		try {
			const pid = pidOf(readFileSync(file, 'utf8'));
			return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 ? [{id: entry, file, pid}] : [];
		} catch {
			return []; // Another runtime's folder, or a container that has just ended.
		}
	});
}

/**
The first process of a container, by its ID or the beginning of it.

@throws {TestbedError} UNREADABLE for a container that is unknown, ambiguous or not running.
*/
export async function pidOfContainer(id: string, root = process.env[runFolderVariable] ?? '/run'): Promise<number> {
	const found = containersIn(root, id);
	const ids = new Set(found.map(each => each.id));
	if (ids.size > 1) {
		throw unreadable(`${id} is the beginning of ${ids.size} containers: ${[...ids].join(', ')}.`, 'Give more of the ID.');
	}

	// Some runtimes call others, so several can know the same container.
	const pids = new Set(found.map(({pid}) => pid));
	if (pids.size > 1) {
		throw unreadable(`Container ${id} has different first processes: ${found.map(({file, pid}) => `${pid} in ${file}`).join(', ')}.`, 'Name the right one: pid:PID');
	}

	const [pid] = pids;
	return pid ?? askCrictl(id, root);
}

async function askCrictl(id: string, root: string): Promise<number> {
	let text: string;
	try {
		text = await run('crictl', ['inspect', '--output', 'json', id], {timeoutMs: 10_000});
	} catch (error) {
		if (error instanceof TestbedError && error.code === 'MISSING_PROGRAM') {
			throw unreadable(`There is no container ${id}: no runtime has a file of it in ${root}, and there is no crictl to ask.`, 'On the node itself, crictl ps or docker ps shows the IDs.', error);
		}

		throw error instanceof CommandError ? unreadable(`There is no container ${id}: no runtime has a file of it in ${root}, and ${error.message}`, 'crictl ps shows the IDs of running containers.', error) : error;
	}

	const {info, status} = (jsonOf(text) ?? {}) as {readonly info?: {readonly pid?: unknown}; readonly status?: {readonly state?: unknown}};
	const {pid} = info ?? {};
	if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) {
		const state = typeof status?.state === 'string' ? ` (${status.state})` : '';
		throw unreadable(`crictl knows container ${id}, but names no process of it${state}.`, 'Only a running container has a network namespace.');
	}

	return pid;
}
