/**
The program that enters a live namespace: it reads a target from standard input and prints what it found. It is a process of its own, so that nothing else of the testbed is ever in a namespace of others.
*/

import process from 'node:process';
import {readFileSync} from 'node:fs';
import {TestbedError} from '../errors.js';
import {ownNetnsDescriptor} from '../syscalls/netns.js';
import type {LiveTarget} from './live-pod.js';
import type {ReaderAnswer} from './protocol.js';
import {readNamespace} from './read-namespace.js';

async function answer(): Promise<ReaderAnswer> {
	try {
		return {pod: await readNamespace(JSON.parse(readFileSync(0, 'utf8')) as LiveTarget)};
	} catch (error) {
		if (error instanceof TestbedError) {
			const {code, message, state, hint} = error;
			return {fault: {code, message, ...(state === undefined ? {} : {state}), ...(hint === undefined ? {} : {hint})}};
		}

		throw error;
	}
}

async function main(): Promise<void> {
	ownNetnsDescriptor(); // The one to return to.
	process.stdout.write(JSON.stringify(await answer()));
}

void main(); // eslint-disable-line unicorn/prefer-top-level-await -- A bundle is CommonJS, which has none.
