/**
Whether the conntrack table of a namespace is full.
*/

import {readFileSync} from 'node:fs';
import type {Gap} from '../../src/trace/gap.js';
import type {Netns} from '../sandbox/netns.js';

/** The limit of a machine with more than a gigabyte of memory (nf_conntrack_init_start in net/netfilter/nf_conntrack_core.c), for kernels that do not show theirs in a user namespace: before each batch the table is emptied, and a batch is a quarter of this. */
const usualMax = 65_536;

function readNumber(file: string): number | undefined {
	try {
		return Number(readFileSync(file, 'utf8'));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
}

/** A gap if the conntrack table of a namespace is full: the kernel then drops the first packets of new connections, without any rule showing it. The limit is the machine's; each namespace has its own count. */
export function fullConntrack(netns: Netns): readonly Gap[] {
	const [count = 0, max = usualMax] = netns.enter(() => ['count', 'max'].map(name => readNumber(`/proc/sys/net/netfilter/nf_conntrack_${name}`)));
	return count < max ? [] : [{kind: 'no-end', message: `The kernel drops packets of new connections: the conntrack table is full (${count} of ${max}).`}];
}
