/**
Reads the conntrack entries of a namespace, as the kernel prints them.
*/

import {readFileSync} from 'node:fs';
import type {Netns} from './netns.js';

/** Reads the entries; undefined on a kernel without CONFIG_NF_CONNTRACK_PROCFS. */
export function loadFlows(netns: Netns): string | undefined {
	try {
		// The thread's view: `/proc/net` shows the namespace of the process.
		return netns.enter(() => readFileSync('/proc/thread-self/net/nf_conntrack', 'utf8'));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
}
