/**
The program that asks an API server: it reads a request from standard input and prints what it found. It is a process of its own, so that whoever waits for it needs no event loop.
*/

import process from 'node:process';
import {answerOf} from '../live/answer-of.js';
import type {ReaderAnswer} from '../live/protocol.js';
import type {ClusterPod} from './cluster-pod.js';
import {readPod, type PodRequest} from './read-pod.js';

/** How often to look whether whoever waits has ended. */
const lookMs = 200;

async function main(): Promise<void> {
	const parent = process.ppid;
	setInterval(() => {
		if (process.ppid !== parent) {
			process.exit(); // eslint-disable-line unicorn/no-process-exit -- Nobody waits any more, and a connection may be open.
		}
	}, lookMs).unref();
	const text = JSON.stringify(await answerOf(async (request: PodRequest) => readPod(request)) satisfies ReaderAnswer<ClusterPod>);
	process.stdout.write(text, () => {
		process.exit(); // eslint-disable-line unicorn/no-process-exit -- A call that was given up may still be open.
	});
}

void main(); // eslint-disable-line unicorn/prefer-top-level-await -- A bundle is CommonJS, which has none.
