/**
The program that asks an API server: it reads a request from standard input and prints what it found. It is a process of its own, so that whoever waits for it needs no event loop.
*/

import process from 'node:process';
import {readFileSync} from 'node:fs';
import {TestbedError} from '../errors.js';
import type {PodAnswer} from './protocol.js';
import {readPod, type PodRequest} from './read-pod.js';

/** How often to look whether whoever waits has ended. */
const lookMs = 200;

async function answer(): Promise<PodAnswer> {
	try {
		return {pod: await readPod(JSON.parse(readFileSync(0, 'utf8')) as PodRequest)};
	} catch (error) {
		if (error instanceof TestbedError) {
			const {code, message, state, hint} = error;
			return {fault: {code, message, ...(state === undefined ? {} : {state}), ...(hint === undefined ? {} : {hint})}};
		}

		throw error;
	}
}

async function main(): Promise<void> {
	const parent = process.ppid;
	setInterval(() => {
		if (process.ppid !== parent) {
			process.exit(); // eslint-disable-line unicorn/no-process-exit -- Nobody waits any more, and a connection may be open.
		}
	}, lookMs).unref();
	const text = JSON.stringify(await answer());
	process.stdout.write(text, () => {
		process.exit(); // eslint-disable-line unicorn/no-process-exit -- A call that was given up may still be open.
	});
}

void main(); // eslint-disable-line unicorn/prefer-top-level-await -- A bundle is CommonJS, which has none.
