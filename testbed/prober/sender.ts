/**
Starts a thread that sends from a namespace: `sender-thread.ts`, found beside this file or this file's bundle.
*/

import type {SenderAnswer, SenderInput} from './protocol.js';
import {Thread} from './thread.js';

/**
A sender that is ready. Who starts it disposes of it.

@throws {TestbedError} SYSCALL_FAILED when the thread cannot enter the namespace.
*/
export async function startSender(input: SenderInput, from: string): Promise<Thread> {
	const sender = new Thread(new URL('sender-thread.js', import.meta.url), {name: `sends from the namespace ${from}`, workerData: input});
	try {
		await sender.next<SenderAnswer, 'ready'>('ready');
		return sender;
	} catch (error) {
		await sender[Symbol.asyncDispose]();
		throw error;
	}
}
