/**
Transparent sockets: what the proxy needs under TPROXY (ip(7), IP_TRANSPARENT; socket(7), SO_MARK). Numbers are those of asm-generic and linux/in.h.
*/

import {
	checked, errorName, int32, lastError, libc,
} from './libc.js';

const libcPrctl = libc.func('int prctl(int option, unsigned long one, unsigned long two, unsigned long three, unsigned long four)');
const libcCapset = libc.func('int capset(const void *header, const void *data)');
const libcCapget = libc.func('int capget(void *header, void *data)');
const libcSocket = libc.func('int socket(int domain, int type, int protocol)');
const libcSetsockopt = libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)');
const libcBind = libc.func('int bind(int fd, const void *address, uint32_t length)');
const libcConnect = libc.func('int connect(int fd, const void *address, uint32_t length)');
const libcGetsockname = libc.func('int getsockname(int fd, void *address, _Inout_ uint32_t *length)');
const libcClose = libc.func('int close(int fd)');

const prSetKeepcaps = 8;
const capabilityVersion = 0x20_08_05_22; // `_LINUX_CAPABILITY_VERSION_3`
const capNetAdmin = 12;
const [afInet, afInet6, sockStream] = [2, 10, 1];
const [sockNonblock, sockCloexec] = [0o4000, 0o200_0000];
const [solSocket, solIp, solIpv6] = [1, 0, 41];
const [soMark, ipTransparent, ipv6Transparent] = [36, 19, 75];

/** Lets this thread keep its permitted capabilities over the next change of its user. */
export function keepCapabilities(): void {
	checked('prctl(PR_SET_KEEPCAPS)', libcPrctl(prSetKeepcaps, 1, 0, 0, 0) as number);
}

/** Takes CAP_NET_ADMIN up again after a change of user, and every other capability down: transparent sockets and marks need it. */
export function raiseNetAdmin(): void {
	const header = new Uint32Array([capabilityVersion, 0]);
	const sets = new Uint32Array(6); // Effective, permitted and inheritable of the lower 32 capabilities, then of the upper ones.
	checked('capget', libcCapget(header, sets) as number);
	const bit = 1 << capNetAdmin;
	checked('capset', libcCapset(header, new Uint32Array([bit, bit, 0, 0, 0, 0])) as number);
}

/** Makes a socket transparent: a listener then takes connections to addresses that are not its own. */
export function setTransparent(fd: number, family: 'ipv4' | 'ipv6'): void {
	const [level, name] = family === 'ipv4' ? [solIp, ipTransparent] : [solIpv6, ipv6Transparent];
	checked('setsockopt(IP_TRANSPARENT)', libcSetsockopt(fd, level, name, int32(1), 4) as number);
}

/** An address as bytes in network order with a port. */
export type RawEndpoint = {readonly address: Uint8Array; readonly port: number};

/** `struct sockaddr_in` or `struct sockaddr_in6`. */
function sockaddr({address, port}: RawEndpoint): Uint8Array {
	const isIpv4 = address.length === 4;
	const bytes = new Uint8Array(isIpv4 ? 16 : 28);
	const view = new DataView(bytes.buffer);
	view.setUint16(0, isIpv4 ? afInet : afInet6, true);
	view.setUint16(2, port);
	bytes.set(address, isIpv4 ? 4 : 8);
	return bytes;
}

/**
Begins a TCP connection from an address that need not be this machine's (all zeros leave it to the route), with a mark: the descriptor of a socket that connects (or has connected) without waiting, and what the kernel chose as its own end.

@throws {TestbedError} SYSCALL_FAILED, also when the connection fails at once; no descriptor is left open then.
*/
export function connectTransparently({source, destination, mark}: {
	readonly source: Uint8Array; readonly destination: RawEndpoint; readonly mark: number;
}): {readonly fd: number; readonly own: RawEndpoint} {
	const family = source.length === 4 ? 'ipv4' : 'ipv6';
	const fd = checked('socket', libcSocket(family === 'ipv4' ? afInet : afInet6, sockStream | sockNonblock | sockCloexec, 0) as number);
	try {
		setTransparent(fd, family);
		checked('setsockopt(SO_MARK)', libcSetsockopt(fd, solSocket, soMark, int32(mark), 4) as number);
		const from = sockaddr({address: source, port: 0});
		checked('bind', libcBind(fd, from, from.length) as number);
		const to = sockaddr(destination);
		if ((libcConnect(fd, to, to.length) as number) < 0 && errorName(lastError()) !== 'EINPROGRESS') {
			checked('connect', -1);
		}

		const own = new Uint8Array(28);
		checked('getsockname', libcGetsockname(fd, own, [own.length]) as number);
		return {fd, own: {address: family === 'ipv4' ? own.slice(4, 8) : own.slice(8, 24), port: new DataView(own.buffer).getUint16(2)}};
	} catch (error) {
		libcClose(fd);
		throw error;
	}
}
