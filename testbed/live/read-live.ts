/**
Reads a live pod: rules where they are, and the facts around them.
*/

import path from 'node:path';
import process from 'node:process';
import {TestbedError} from '../errors.js';
import {runNodeToEnd} from '../system/commands.js';
import type {NodeKind, LivePod, LiveTarget} from './live-pod.js';
import type {ReaderAnswer} from './protocol.js';

const limitMs = 60_000;

/** Variables that say where container runtimes are. */
const passedOn = ['TESTBED_RUN_FOLDER', 'CONTAINER_RUNTIME_ENDPOINT', 'CRI_CONFIG_FILE', 'TESTBED_CONFINED_PROGRAMS'] as const;

/**
Reads a live pod in a process of its own, which this one waits for. Only reads: see `read-namespace.ts`.

@throws {TestbedError} USAGE for a name that cannot be one; UNREADABLE if the pod cannot be read; MISSING_PROGRAM or MACHINE for the tools.
*/
export function readLive(kind: NodeKind, name: string): LivePod {
	const target = targetOfLive(kind, name);
	const environment = Object.fromEntries(passedOn.flatMap(variable => process.env[variable] === undefined ? [] : [[variable, process.env[variable]]]));
	const answer = JSON.parse(runNodeToEnd(new URL('live-reader.js', import.meta.url), {input: JSON.stringify(target), environment, timeoutMs: limitMs})) as ReaderAnswer<LivePod>;
	if ('fault' in answer) {
		const {code, ...fault} = answer.fault;
		throw new TestbedError(code, fault);
	}

	return answer.pod;
}

const examples = {netns: 'netns:web or netns:/proc/4711/ns/net', pid: 'pid:4711', container: 'container:3f4e8b2a91c0'} as const satisfies Record<NodeKind, string>;

/**
What the name of a live pod refers to, without looking for it.

@throws {TestbedError} USAGE for a name that cannot be one.
*/
export function targetOfLive(kind: NodeKind, name: string): LiveTarget {
	const wrong = (message: string): TestbedError => new TestbedError('USAGE', {message, hint: `For example: ${examples[kind]}`});
	if (name === '') {
		throw wrong(`${kind}: names nothing (an unset variable?).`);
	}

	switch (kind) {
		case 'netns': {
			if (name === '.' || name === '..' || name.includes('\0')) {
				throw wrong(`netns:${name} is not the name of a network namespace.`);
			}

			// The reading process has another working folder.
			return {kind, name: name.includes('/') ? path.resolve(name) : name};
		}

		case 'pid': {
			if (!/^[1-9]\d{0,9}$/u.test(name)) {
				throw wrong(`pid:${name} is not the number of a process.`);
			}

			return {kind, pid: Number(name)};
		}

		case 'container': {
			// Runtimes use hexadecimal IDs; crictl prints their beginning. With `runtime://` in front in a pod's status.
			const id = name.replace(/^[a-z-]+:\/\//u, '');
			if (!/^[\w.-]{1,128}$/u.test(id) || /^\.+$/u.test(id)) {
				throw wrong(`container:${name} is not the ID of a container.`);
			}

			return {kind, id};
		}
	}
}
