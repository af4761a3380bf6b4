/**
The programs of iptables' back ends, and how rules are given to them.
*/

import type {AddressFamily, IptablesBackend} from '../../src/netfilter/types.js';
import type {Netns} from './netns.js';

const toolPrefix = {ipv4: 'iptables', ipv6: 'ip6tables'} as const satisfies Record<AddressFamily, string>;

/** The name of the program that a back end of iptables has for one family: `ip6tables-nft-restore`. */
export function tool(backend: IptablesBackend, family: AddressFamily, act: 'restore' | 'save'): string {
	return `${toolPrefix[family]}-${backend === 'iptables-nft' ? 'nft' : 'legacy'}-${act}`;
}

/** Seconds that a restore waits for the lock of its own run, which another family's restore holds for some milliseconds. */
const lockWaitSeconds = 60;

/**
Gives rules to a restore program. iptables-legacy takes a lock, which both families share: 1.8.9 waits for it by itself, 1.8.11 only when it is told to (measured: `flock(LOCK_EX | LOCK_NB)`, then status 4). Both know `-w`; the nft variants take no lock.

@throws {CommandError} when the program does not take them, or has waited for the lock for a minute.
*/
export async function restoreRules(netns: Netns, {backend, family, text, lockFile}: {
	readonly backend: IptablesBackend; readonly family: AddressFamily; readonly text: string; readonly lockFile: string;
}): Promise<void> {
	await netns.runConfined(tool(backend, family, 'restore'), backend === 'iptables-legacy' ? ['-w', String(lockWaitSeconds)] : [], {input: text, environment: {XTABLES_LOCKFILE: lockFile}});
}
