/**
Opens the network namespace that a user names.
*/

import {
	closeSync, constants, fstatSync, openSync,
} from 'node:fs';
import path from 'node:path';
import {TestbedError} from '../errors.js';
import {isNetns} from '../syscalls/netns.js';
import {nameOfProcess} from './processes.js';

/** Where `ip netns` and the CNI keep namespaces by name. */
const namedFolder = '/run/netns';

/** What was tried is said first; nothing was changed in any case. */
export function unreadable(message: string, hint?: string, cause?: unknown): TestbedError {
	return new TestbedError('UNREADABLE', {message, state: 'Nothing was read, and nothing was changed.', ...(hint === undefined ? {} : {hint}), ...(cause === undefined ? {} : {cause})});
}

const asRoot = 'Run it as root on the node.';

function open(file: string, absent: () => TestbedError, place: string): number {
	let fd: number;
	try {
		// A pipe by that name must not be waited for.
		fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESRCH') {
			throw absent();
		}

		throw code === 'EACCES' || code === 'EPERM' ? unreadable(`There is no permission to enter ${place}.`, asRoot, error) : unreadable(`${place} cannot be opened: ${message}`, undefined, error);
	}

	if (fstatSync(fd).isFile() && isNetns(fd)) {
		return fd;
	}

	closeSync(fd);
	throw unreadable(`${file} is not a network namespace.`, 'Namespaces with names are in /run/netns (ip netns list); that of a process is /proc/PID/ns/net.');
}

/**
Opens a namespace by its name, or by a path (with a slash).

@throws {TestbedError} UNREADABLE.
*/
export function openNamed(name: string): number {
	const isPath = name.includes('/');
	const file = isPath ? name : path.join(namedFolder, name);
	return open(file, () => isPath
		? unreadable(`There is no file ${file}.`, 'A network namespace is a file such as /proc/PID/ns/net, or one in /run/netns.')
		: unreadable(`There is no network namespace named ${name}: ${file} does not exist.`, 'ip netns list shows the names. For the namespace of a process: pid:PID.'), `the namespace ${name}`);
}

/**
Opens the namespace of a process.

@throws {TestbedError} UNREADABLE.
*/
export function openOfProcess(pid: number): number {
	return open(`/proc/${pid}/ns/net`, () => nameOfProcess(pid) === null
		? unreadable(`There is no process ${pid}.`, 'In a container with a PID namespace of its own, processes of the node have other numbers: run it on the node, or with the node\'s PID namespace (docker run --pid host).')
		: unreadable(`Process ${pid} has ended: it has no network namespace any more.`), `the namespace of process ${pid}`);
}
