/**
The entries of conntrack that the kernel holds for a namespace, as it prints them.
*/

import {readFileSync} from 'node:fs';
import type {Netns} from './netns.js';

/** Reads them; undefined on a kernel that does not show them (without CONFIG_NF_CONNTRACK_PROCFS). */
export function loadFlows(netns: Netns): string | undefined {
	try {
		// The thread's own view: `/proc/net` is that of the process.
		return netns.enter(() => readFileSync('/proc/thread-self/net/nf_conntrack', 'utf8'));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
}
