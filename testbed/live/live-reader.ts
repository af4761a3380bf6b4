/**
The program that enters a live namespace: it reads a target from standard input and prints what it found. It is a process of its own, so that nothing else of the testbed is ever in a namespace of others.
*/

import process from 'node:process';
import {ownNetnsDescriptor} from '../syscalls/netns.js';
import {answerOf} from './answer-of.js';
import type {LivePod, LiveTarget} from './live-pod.js';
import type {ReaderAnswer} from './protocol.js';
import {readNamespace} from './read-namespace.js';

async function main(): Promise<void> {
	ownNetnsDescriptor(); // The one to return to.
	process.stdout.write(JSON.stringify(await answerOf(async (target: LiveTarget) => readNamespace(target)) satisfies ReaderAnswer<LivePod>));
}

void main(); // eslint-disable-line unicorn/prefer-top-level-await -- A bundle is CommonJS, which has none.
