/**
What goes with a namespace's rules: its addresses, its routing by mark, and the name servers of its processes.
*/

import {closeSync, fstatSync, readSync} from 'node:fs';
import {Buffer} from 'node:buffer';
import {isIP} from 'node:net';
import type {SidecarRouting} from '../../src/mesh/routing.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import {openPath} from '../syscalls/mounts.js';
import {openInRoot} from '../syscalls/open-in-root.js';
import type {LiveAddress} from './live-pod.js';

type Json = Readonly<Record<string, unknown>>;

/**
A list that `ip -j` printed; it prints nothing for an empty one.

@throws {TestbedError} UNREADABLE for anything else.
*/
export function readIpList(text: string): readonly Json[] {
	try {
		const value: unknown = text.trim() === '' ? [] : JSON.parse(text);
		if (Array.isArray(value) && value.every(entry => typeof entry === 'object' && entry !== null)) {
			return value as readonly Json[];
		}
	} catch {} // It is reported below.

	throw new TestbedError('UNREADABLE', {message: 'The output of `ip -j` is not a list.', state: 'Nothing was changed.', hint: 'iproute2 4.17 or later prints JSON. Try `ip -j address`.'});
}

/** The interfaces and addresses in the output of `ip -j address`. */
export function addressesIn(text: string): {readonly devices: readonly string[]; readonly addresses: readonly LiveAddress[]} {
	const links = readIpList(text).filter(({ifname}) => typeof ifname === 'string');
	return {
		devices: links.map(({ifname}) => ifname as string),
		addresses: links.flatMap(({ifname, addr_info: list}) => (Array.isArray(list) ? list as readonly Json[] : []).flatMap((entry): readonly LiveAddress[] => {
			const {local, prefixlen, scope, family} = entry;
			return typeof local === 'string' && typeof prefixlen === 'number' && (family === 'inet' || family === 'inet6')
				? [{
					device: ifname as string, family: family === 'inet' ? 'ipv4' : 'ipv6', address: local, prefixLength: prefixlen, scope: String(scope),
				}]
				: [];
		})),
	};
}

/** Tables that every namespace has (rtnetlink(7), RT_TABLE_…). */
const usualTables: ReadonlySet<unknown> = new Set([undefined, 'default', 'main', 'local', '253', '254', '255']);
/** RTN_LOCAL (rtnetlink(7)): with -N, newer versions of `ip` print this number instead of the name. */
const rtnLocal = '2';
const everything = {ipv4: '0.0.0.0/0', ipv6: '::/0'} as const;

/** The rules by mark in `ip -j -N rule`, and the local routes in other than the usual tables in `ip -j -N route show table all`, of one family. */
export function routingIn(family: AddressFamily, {rules, routes}: {readonly rules: string; readonly routes: string}): Pick<SidecarRouting, 'markRules' | 'localRoutes'> {
	return {
		markRules: readIpList(rules).filter(({fwmark, table}) => fwmark !== undefined && table !== undefined).map(({fwmark, fwmask, table, priority}) => ({
			family,
			mark: Number(fwmark),
			...(fwmask === undefined ? {} : {mask: Number(fwmask)}),
			table: Number(table),
			...(typeof priority === 'number' && priority < kernelPriority ? {priority} : {}),
		})),
		localRoutes: readIpList(routes).filter(({table, type}) => !usualTables.has(table) && (type === 'local' || type === rtnLocal)).map(({dst, table}) => ({family, destination: dst === 'default' ? everything[family] : String(dst), table: Number(table)})),
	};
}

/** A rule that is added without a priority gets the highest free one below the kernel's own rule for the main table (32766); it says nothing then. */
const kernelPriority = 32_700;

/** Addresses of lo that a namespace does not have by itself, as `ADDRESS/LENGTH`. */
export function loopbackAddressesIn(addresses: readonly LiveAddress[]): SidecarRouting['loopbackAddresses'] {
	return addresses.filter(({device, address}) => device === 'lo' && address !== '127.0.0.1' && address !== '::1').map(({family, address, prefixLength}) => ({family, address: `${address}/${prefixLength}`}));
}

const resolvConf = '/etc/resolv.conf';
const resolvConfBytesMax = 65_536;

/** The name servers of a process's /etc/resolv.conf, as the process itself sees that file; null if it cannot be read. Only addresses are taken from it. */
export function nameserversOf(pid: number): readonly string[] | null {
	try {
		const root = openPath(`/proc/${pid}/root`);
		try {
			return nameserversBelow(root);
		} finally {
			closeSync(root);
		}
	} catch {
		return null;
	}
}

function nameserversBelow(root: number): readonly string[] | null {
	const fd = openInRoot(root, resolvConf);
	try {
		const bytes = Buffer.alloc(resolvConfBytesMax);
		return fstatSync(fd).isFile() ? nameserversIn(bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0))) : null;
	} finally {
		closeSync(fd);
	}
}

/** The addresses of `nameserver` lines (resolv.conf(5)), each once and without a zone. */
export function nameserversIn(text: string): readonly string[] {
	const named = text.split('\n').flatMap(line => /^\s*nameserver\s+(?<address>[^\s%#;]+)/u.exec(line)?.groups?.['address'] ?? []);
	return [...new Set(named.filter(address => isIP(address) !== 0))];
}

/** Both families with what `read` returns for each. */
export async function forBoth<T>(read: (family: AddressFamily) => Promise<T>): Promise<Readonly<Record<AddressFamily, T>>> {
	const [ipv4, ipv6] = await Promise.all(addressFamilies.map(async family => read(family)));
	return {ipv4: ipv4!, ipv6: ipv6!};
}
