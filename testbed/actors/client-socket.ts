/**
A socket of a user, made by this thread: in a network namespace, with that user's credentials while it is made. Nothing else runs on the thread meanwhile, and both are as before when the call returns.
*/

import process from 'node:process';
import {addressBytes, printAddressBytes} from '../../src/netfilter/address.js';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {Credentials} from '../../src/scenario/types.js';
import type {Netns} from '../sandbox/netns.js';
import {checked, errorName, lastError} from '../syscalls/libc.js';
import {
	closeSocket, connectSocket, openSocket, probeErrors, setThreadCredentials, socketOwner,
} from '../syscalls/probe-socket.js';
import {calls, ownEnd, socketAddress} from '../syscalls/socket-calls.js';

/** What the kernel said when it refused a call: the number's name, and a sentence as Node has it. */
export type Refusal = {readonly errno: string; readonly message: string};

/** A socket that was made, with the owner that the kernel wrote on it. Whoever gets it closes it. */
export type ClientSocket = {readonly fd: number; readonly owner: Credentials};

/**
Makes a socket that does not block, and binds it if it is to have a source.

@throws {TestbedError} SYSCALL_FAILED when the socket cannot be made, or the credentials did not take effect.
*/
export function openClientSocket({netns, credentials: {uid, gid}, isIpv6, isUdp, source}: {
	readonly netns: Netns; readonly credentials: Credentials; readonly isIpv6: boolean; readonly isUdp: boolean; readonly source: string | undefined;
}): ClientSocket | {readonly refusal: Refusal} {
	const fd = netns.enter(() => {
		setThreadCredentials(uid, gid);
		try {
			return checked('socket', openSocket(isIpv6, isUdp));
		} finally {
			setThreadCredentials(process.geteuid!(), process.getegid!());
		}
	});
	const error = source === undefined ? 0 : bindTo(fd, source);
	if (error !== 0) {
		closeSocket(fd);
		return {refusal: refusalOf('bind', error, source!)};
	}

	return {fd, owner: socketOwner(fd)};
}

/** Begins a connection over TCP, and says where it comes from. A refused socket is closed. */
export function beginConnection(fd: number, {address, port}: Endpoint): {readonly from: Endpoint} | {readonly refusal: Refusal} {
	const error = connectSocket(fd, socketAddress(addressBytes(address), port));
	if (error !== 0 && error !== probeErrors.EINPROGRESS) {
		closeSocket(fd);
		return {refusal: refusalOf('connect', error, `${address}:${port}`)};
	}

	const own = ownEnd(fd, !address.includes(':'));
	return {from: {address: printAddressBytes(own.address), port: own.port}};
}

function bindTo(fd: number, source: string): number {
	const address = socketAddress(addressBytes(source), 0);
	return calls.bind(fd, address, address.length) as number === 0 ? 0 : lastError();
}

function refusalOf(call: string, error: number, to: string): Refusal {
	const errno = errorName(error);
	return {errno, message: `${call} ${errno} ${to}`};
}
