/**
`testbed enter`.
*/

import {didYouMean} from '../../../src/parsing/did-you-mean.js';
import {visibleText} from '../../../src/parsing/visible-text.js';
import {TestbedError} from '../../errors.js';
import {enterAs} from '../../kept/enter.js';
import {
	meaningOf, readNotes, type KeptActor, type KeptSandbox,
} from '../../kept/note.js';
import {commandLine} from '../../system/program-name.js';

/** Names of kept sandboxes; no program is named like that. */
const keptName = /^testbed-[\da-f]{6}$/u;

/**
Opens a shell in a kept sandbox as one of its actors, or runs a command there; returns its exit status. `words` are the optional name of the sandbox, then the command.

@throws {TestbedError} USAGE if there is no such sandbox or actor.
*/
export async function enterCommand(actor: string, words: readonly string[]): Promise<number> {
	const [first] = words;
	const name = first !== undefined && keptName.test(first) ? first : undefined;
	const command = name === undefined ? words : words.slice(1);
	const kept = sandboxNamed(name, readNotes());
	const who = actorNamed(actor, kept);
	const namespace = kept.namespaces.find(({label}) => label === who.namespace);
	if (namespace === undefined || meaningOf(namespace) !== 'kept') {
		throw new TestbedError('USAGE', {message: `The namespace of ${who.name} in ${kept.id} is gone.`, hint: `Remove what is left with ${commandLine('clean')}, then keep a new one: ${commandLine('run --keep')}`});
	}

	return enterAs(who, {kept, namespace, command});
}

function sandboxNamed(name: string | undefined, all: readonly KeptSandbox[]): KeptSandbox {
	const newest = all.at(-1);
	if (newest === undefined) {
		throw new TestbedError('USAGE', {message: 'No sandbox is kept on this machine.', hint: `Keep one first: ${commandLine('run --keep')}`});
	}

	const found = name === undefined ? newest : all.find(({id}) => id === name);
	if (found === undefined) {
		throw new TestbedError('USAGE', {message: `There is no kept sandbox "${visibleText(name!)}".`, hint: `Kept: ${all.map(({id}) => id).join(', ')}.`});
	}

	return found;
}

function actorNamed(name: string, {id, actors}: KeptSandbox): KeptActor {
	const found = actors.find(actor => actor.name === name);
	if (found === undefined) {
		const names = actors.map(actor => actor.name);
		throw new TestbedError('USAGE', {message: `${id} has no actor "${visibleText(name)}".${didYouMean(name, names)}`, hint: `It has ${names.join(', ')}.`});
	}

	return found;
}
