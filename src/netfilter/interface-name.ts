/**
Names of network interfaces in rules.
*/

/** Whether a list of interfaces includes a device; `eth+` matches every name that starts with `eth` (iptables(8)). */
export function hasInterface(list: readonly string[], device: string): boolean {
	return list.some(name => name.endsWith('+') ? device.startsWith(name.slice(0, -1)) : device === name);
}
