/**
Removes kept sandboxes: ends their listeners and removes the names of their namespaces, nothing else.
*/

import {connect} from 'node:net';
import {run} from '../system/exec.js';
import {
	meaningOf, readNotes, removeNote, socketOf, type KeptNamespace, type KeptSandbox,
} from './note.js';

/** What happened to each kept name. */
export type Cleaned = {readonly name: string; readonly result: 'removed' | 'already gone' | 'now another namespace, left alone'};

/** Removes everything that `--keep` left. */
export async function clean(): Promise<readonly Cleaned[]> {
	const cleaned = await Promise.all(readNotes().map(async kept => {
		await endKeeper(kept.id);
		return removeKept(kept);
	}));
	return cleaned.flat();
}

/** Removes the names and the note of one sandbox. Its listeners must have ended, or be about to. */
export async function removeKept({id, namespaces}: Pick<KeptSandbox, 'id' | 'namespaces'>): Promise<readonly Cleaned[]> {
	const cleaned = await Promise.all(namespaces.map(async namespace => ({name: namespace.name, result: await removeName(namespace)})));
	removeNote(id);
	return cleaned;
}

async function removeName(namespace: KeptNamespace): Promise<Cleaned['result']> {
	switch (meaningOf(namespace)) {
		case 'kept': {
			await run('ip', ['netns', 'del', namespace.name]);
			return 'removed';
		}

		case 'gone': {
			return 'already gone';
		}

		case 'foreign': {
			return 'now another namespace, left alone';
		}
	}
}

/** Asks a keeper to end, and resolves when it has: its socket closes with it. If nothing listens on the socket, the keeper is already gone. */
async function endKeeper(id: string): Promise<void> {
	await new Promise<void>(resolve => {
		const socket = connect(socketOf(id));
		const end = (): void => {
			resolve();
		};

		socket.once('close', end).once('error', end).resume();
		socket.end('end\n');
	});
}
