/**
What the first start of an ordinary user's command tells the second, which runs in the user namespace: by two environment variables, which are removed at once.
*/

import process from 'node:process';
import {closeSync, fstatSync, readFileSync} from 'node:fs';
import type {MappingFacts} from './walls.js';

/** The user as the machine knows it, and what was missing for a range of IDs. */
export type NamespaceNote = Omit<MappingFacts, 'said'> & {
	/** The PID of the helper that mapped the IDs: a child of this process, whose program was another then. */
	readonly helper: number;
	/** Descriptors that were left open: of pipes that are no longer needed; and of sockets of the machine's network that listen, by address. */
	readonly pipes: readonly number[];
	readonly listening: Readonly<Record<string, number>>;
	/** The descriptor of a file in memory with what was read outside. */
	readonly outside?: number | undefined;
};

/** The variables: the note, and what mapping the IDs said. */
export const noteVariables = {note: 'TESTBED_NAMESPACE', said: 'TESTBED_NAMESPACE_SAID'} as const;

let taken: {readonly note: NamespaceNote; readonly said: string; readonly outside: string | undefined} | undefined;

/** Takes the note out of the environment, if there is one, and closes the pipes. */
export function takeNote(environment: NodeJS.ProcessEnv = process.env): void {
	const {[noteVariables.note]: text, [noteVariables.said]: said = ''} = environment;
	for (const variable of Object.values(noteVariables)) {
		Reflect.deleteProperty(environment, variable);
	}

	if (text === undefined) {
		return;
	}

	const note = JSON.parse(text) as NamespaceNote;
	for (const fd of note.pipes) {
		if (isPipe(fd)) {
			closeSync(fd);
		}
	}

	taken = {note, said, outside: note.outside === undefined ? undefined : textOf(note.outside)};
}

/** The text of a descriptor, which is closed. */
function textOf(fd: number): string {
	try {
		return readFileSync(fd, 'utf8');
	} finally {
		closeSync(fd);
	}
}

function isPipe(fd: number): boolean {
	try {
		return fstatSync(fd).isFIFO();
	} catch {
		return false; // Already closed.
	}
}

/** The PID of the helper, a child of this process that nobody has waited for; undefined outside. */
export function helperToReap(): number | undefined {
	return taken?.note.helper;
}

/** Whether this process was started in a user namespace by the testbed. */
export function isInOwnNamespace(): boolean {
	return taken !== undefined;
}

/** What the first start read outside, where there is a network; undefined if it read nothing. */
export function textFromOutside(): string | undefined {
	return taken?.outside;
}

/** What is known about the mapping of the IDs; undefined if somebody else made the user namespace. */
export function mappingFacts(): MappingFacts | undefined {
	return taken === undefined ? undefined : {...taken.note, said: taken.said};
}

/** The descriptor of a socket of the machine's network that listens on an address; undefined if there is none. */
export function listeningSocket(address: string): number | undefined {
	return taken?.note.listening[address];
}
