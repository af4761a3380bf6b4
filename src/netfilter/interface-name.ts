/**
Names of network interfaces as rules write them.
*/

/** Whether a list of interfaces names a device; `eth+` is every name that begins so (iptables(8)). */
export function hasInterface(list: readonly string[], device: string): boolean {
	return list.some(name => name.endsWith('+') ? device.startsWith(name.slice(0, -1)) : device === name);
}
