/** What the first start of a command tells the second. */

import {closeSync, fstatSync} from 'node:fs';
import test from 'ava';
import {createPipe} from '../../../../testbed/syscalls/descriptors.js';
import {
	helperToReap, isInOwnNamespace, listeningSocket, mappingFacts, noteVariables, takeNote,
} from '../../../../testbed/rootless/note.js';

test.serial('without a note nothing is known', t => {
	const environment = {PATH: '/bin'};
	takeNote(environment);
	t.deepEqual(environment, {PATH: '/bin'});
	t.false(isInOwnNamespace());
	t.is(mappingFacts(), undefined);
	t.is(listeningSocket('127.0.0.1'), undefined);
	t.is(helperToReap(), undefined);
});

test.serial('the note is taken out of the environment, and its pipes are closed, nothing else', t => {
	const {read, write} = createPipe();
	const note = {
		uid: 1000, name: 'joe', firstFree: 100_000, helper: 77, pipes: [read, write, 0, 99_999], listening: {'127.0.0.1': 9},
	};
	const environment: NodeJS.ProcessEnv = {[noteVariables.note]: JSON.stringify(note), [noteVariables.said]: 'newuidmap: no'};
	takeNote(environment);
	t.deepEqual(environment, {});
	t.true(isInOwnNamespace());
	t.like(mappingFacts(), {uid: 1000, name: 'joe', said: 'newuidmap: no'});
	t.is(listeningSocket('127.0.0.1'), 9);
	t.is(listeningSocket('10.0.0.1'), undefined);
	t.is(helperToReap(), 77);
	t.throws(() => {
		closeSync(read);
	}, {code: 'EBADF'});
	t.notThrows(() => fstatSync(0));
});
