/**
SO_ORIGINAL_DST: the original destination of a redirected connection.
*/

import {libc} from './libc.js';

const libcGetsockopt = libc.func('int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)');

const solIp = 0;

const solIpv6 = 41;

const soOriginalDst = 80;

// Linux/netfilter_ipv4.h; IP6T_SO_ORIGINAL_DST has the same number.

/** The original destination of a redirected connection, with the address as bytes in network order. Undefined if conntrack has no entry (ENOENT) or the call fails otherwise. */
export function originalDestination(fd: number, family: 'ipv4' | 'ipv6'): {readonly address: Uint8Array; readonly port: number} | undefined {
	const value = new Uint8Array(28); // `struct sockaddr_in6`, the larger one.
	const length = [value.length];
	const result = libcGetsockopt(fd, family === 'ipv4' ? solIp : solIpv6, soOriginalDst, value, length) as number;
	if (result < 0) {
		return undefined;
	}

	const port = new DataView(value.buffer).getUint16(2);
	return {address: family === 'ipv4' ? value.slice(4, 8) : value.slice(8, 24), port};
}
