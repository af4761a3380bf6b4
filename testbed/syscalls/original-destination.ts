/**
SO_ORIGINAL_DST: where a redirected connection wanted to go.
*/

import {libc} from './libc.js';

const libcGetsockopt = libc.func('int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)');

const solIp = 0;

const solIpv6 = 41;

const soOriginalDst = 80;

// Linux/netfilter_ipv4.h; IP6T_SO_ORIGINAL_DST has the same number.

/** Where a redirected connection wanted to go: the address as bytes in network order. Undefined when conntrack knows of no redirection (ENOENT). */
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
