/**
Waiting for descriptors: poll(2) and eventfd(2).
*/

import {checked, lastError, libc} from './libc.js';
import {errno, sockCloexec} from './netns.js';

const libcPoll = libc.func('int poll(void *fds, unsigned long count, int timeout)');

const libcEventfd = libc.func('int eventfd(unsigned int initial, int flags)');

const libcRead = libc.func('long read(int fd, void *data, size_t length)');

const libcWrite = libc.func('long write(int fd, const void *data, size_t length)');

const pollIn = 1;

/** Waits until at least one of the descriptors is readable, at most `timeoutMs` (-1: forever). Blocks the thread. Returns the indices of readable descriptors. */
export function waitReadable(fds: readonly number[], timeoutMs: number): readonly number[] {
	const entries = new Uint8Array(fds.length * 8); // `struct pollfd`
	const view = new DataView(entries.buffer);
	for (const [index, fd] of fds.entries()) {
		view.setInt32(index * 8, fd, true);
		view.setInt16((index * 8) + 4, pollIn, true);
	}

	const ready = libcPoll(entries, fds.length, timeoutMs) as number;
	if (ready < 0 && lastError() === errno.EINTR) {
		return [];
	}

	checked('poll', ready);
	return [...fds.keys()].filter(index => view.getInt16((index * 8) + 6, true) !== 0);
}

/** Creates a descriptor by which one thread wakes another that waits for it. */
export function createWaker(): number {
	return checked('eventfd', libcEventfd(0, sockCloexec) as number);
}

/** Makes a waker readable. */
export function wake(fd: number): void {
	const one = new Uint8Array(8);
	one[0] = 1;
	checked('write(eventfd)', Number(libcWrite(fd, one, one.length)));
}

/** Makes a waker unreadable again, however often it was woken. */
export function clearWaker(fd: number): void {
	libcRead(fd, new Uint8Array(8), 8);
}
