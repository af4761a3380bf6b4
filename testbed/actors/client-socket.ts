/**
Opens sockets on this thread as another user: inside a network namespace and with that user's credentials. Nothing else runs on the thread meanwhile, and namespace and credentials are restored before the call returns.
*/

import process from 'node:process';
import {addressBytes, printAddressBytes, unspecified} from '../../src/netfilter/address.js';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {Credentials} from '../../src/mesh/traffic.js';
import type {Netns} from '../sandbox/netns.js';
import {checked, errorName, lastError} from '../syscalls/libc.js';
import {
	closeSocket, connectSocket, openSocket, probeErrors, setThreadCredentials, socketError, socketOptionSetters, socketOwner,
} from '../syscalls/probe-socket.js';
import {calls, ownEnd, socketAddress} from '../syscalls/socket-calls.js';

/** A call that the kernel refused: the name of the error, and a message in Node's style. */
export type Refusal = {readonly errno: string; readonly message: string};

/** An open socket, with the owner that the kernel recorded. The receiver closes it. */
export type ClientSocket = {readonly fd: number; readonly owner: Credentials};

/**
Opens a non-blocking socket, and binds it if it has a source. One of UDP gets its port here in any case: Node sets SO_REUSEADDR on a socket that it is given, and then the kernel can give two of them the same port, and the answers to one of them to neither (findings/dgram-fd-shares-ports.sh).

@throws {TestbedError} SYSCALL_FAILED if the socket cannot be opened, or the credentials did not take effect.
*/
export function openClientSocket({netns, credentials: {uid, gid}, isIpv6, isUdp, source, bindDevice}: {
	readonly netns: Netns; readonly credentials: Credentials; readonly isIpv6: boolean; readonly isUdp: boolean; readonly source: string | undefined; readonly bindDevice?: string | undefined;
}): ClientSocket | {readonly refusal: Refusal} {
	const fd = netns.enter(() => {
		setThreadCredentials(uid, gid);
		try {
			return checked('socket', openSocket(isIpv6, isUdp));
		} finally {
			setThreadCredentials(process.geteuid!(), process.getegid!());
		}
	});
	const {SO_BINDTODEVICE: bindToDevice} = socketOptionSetters;
	const deviceError = bindDevice === undefined ? 0 : bindToDevice(fd, bindDevice, {isIpv6});
	if (deviceError !== 0) {
		closeSocket(fd);
		return {refusal: refusalOf('SO_BINDTODEVICE', deviceError, bindDevice!)};
	}

	const address = source ?? (isUdp ? unspecified[isIpv6 ? 'ipv6' : 'ipv4'] : undefined);
	const error = address === undefined ? 0 : bindTo(fd, address);
	if (error !== 0) {
		closeSocket(fd);
		return {refusal: refusalOf('bind', error, address!)};
	}

	return {fd, owner: socketOwner(fd)};
}

/** Starts a TCP connection, and returns its local address. A refused socket is closed. */
export function beginConnection(fd: number, {address, port}: Endpoint): {readonly from: Endpoint} | {readonly refusal: Refusal} {
	const error = connectSocket(fd, socketAddress(addressBytes(address), port));
	if (error !== 0 && error !== probeErrors.EINPROGRESS) {
		closeSocket(fd);
		return {refusal: refusalOf('connect', error, `${address}:${port}`)};
	}

	const own = ownEnd(fd, !address.includes(':'));
	return {from: {address: printAddressBytes(own.address), port: own.port}};
}

/** The name of the error that the kernel has noted for a socket, which forgets it; undefined if there is none. */
export function notedError(fd: number): string | undefined {
	const error = socketError(fd);
	return error === 0 ? undefined : errorName(error);
}

function bindTo(fd: number, source: string): number {
	const address = socketAddress(addressBytes(source), 0);
	return calls.bind(fd, address, address.length) as number === 0 ? 0 : lastError();
}

function refusalOf(call: string, error: number, to: string): Refusal {
	const errno = errorName(error);
	return {errno, message: `${call} ${errno} ${to}`};
}
