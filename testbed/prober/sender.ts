/**
Starts a thread that sends from a namespace: `sender-thread.ts`, located next to this file or its bundle.
*/

import type {SenderAnswer, SenderInput} from './protocol.js';
import {Thread} from './thread.js';

/**
Starts a sender and waits until it is ready. The caller disposes of it.

@throws {TestbedError} SYSCALL_FAILED if the thread cannot enter the namespace.
*/
export async function startSender(input: SenderInput, from: string): Promise<Thread> {
	const sender = new Thread(new URL('sender-thread.js', import.meta.url), {name: `sends from the namespace ${from}`, workerData: input, youngMb: 4});
	try {
		await sender.next<SenderAnswer, 'ready'>('ready');
		return sender;
	} catch (error) {
		await sender[Symbol.asyncDispose]();
		throw error;
	}
}
