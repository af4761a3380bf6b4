/** What the kernel counts in a network namespace. */

import {readFileSync} from 'node:fs';

/**
A counter of this thread's namespace since it was created, such as RetransSegs of Tcp (RFC 4022) in /proc/net/snmp.

@throws {RangeError} if the kernel has no such counter.
*/
export function snmpCounter(group: 'Icmp' | 'Tcp', name: string): number {
	const [names = [], numbers = []] = readFileSync('/proc/thread-self/net/snmp', 'utf8').split('\n').filter(line => line.startsWith(`${group}:`)).map(line => line.split(' '));
	const place = names.indexOf(name);
	if (place === -1) {
		throw new RangeError(`/proc/net/snmp has no ${name} of ${group}`);
	}

	return Number(numbers[place]);
}
