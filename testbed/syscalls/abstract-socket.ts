/**
Connections to abstract Unix sockets (unix(7)): their names begin with a zero byte, are no files, and belong to a network namespace. Node 20 cannot connect to one.
*/

import {calls, sockCloexec, sockNonblock, sockStream} from './socket-calls.js';
import {checked} from './libc.js';

const afUnix = 1;

/**
Connects to an abstract socket in the namespace of this thread. The descriptor belongs to the caller.

@param name Without the leading zero byte, in ASCII.
@throws {TestbedError} SYSCALL_FAILED where nobody listens.
*/
export function connectAbstract(name: string): number {
	const fd = checked('socket(AF_UNIX)', calls.socket(afUnix, sockStream | sockNonblock | sockCloexec, 0) as number);
	// `struct sockaddr_un`; the length says where the name ends.
	const address = new Uint8Array([...new Uint8Array(Uint16Array.of(afUnix).buffer), 0, ...new TextEncoder().encode(name)]);
	try {
		checked('connect(AF_UNIX)', calls.connect(fd, address, address.length) as number);
		return fd;
	} catch (error) {
		calls.close(fd);
		throw error;
	}
}
