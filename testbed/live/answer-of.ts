/**
What a program that only reads answers: a request comes from standard input as JSON, and an expected error goes back as data.
*/

import {readFileSync} from 'node:fs';
import {TestbedError} from '../errors.js';
import type {ReaderAnswer} from './protocol.js';

/** Reads the request, does what it asks, and returns the result or the expected error. @throws other errors. */
export async function answerOf<Request, Pod>(read: (request: Request) => Promise<Pod>): Promise<ReaderAnswer<Pod>> {
	try {
		return {pod: await read(JSON.parse(readFileSync(0, 'utf8')) as Request)};
	} catch (error) {
		if (error instanceof TestbedError) {
			const {code, message, state, hint} = error;
			return {fault: {code, message, ...(state === undefined ? {} : {state}), ...(hint === undefined ? {} : {hint})}};
		}

		throw error;
	}
}
