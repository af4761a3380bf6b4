/**
How long the connections of the six types take by hand: `by-hand.sh`, a shell script with `ip netns`, `iptables-nft-restore`, `nc` and `nft monitor trace`.

Learned: the script takes little processor time (0.1 s; nc starts in a millisecond, Node in 57), so it is as fast as its waits. It has two of 0.1 s; those of people are usually `sleep 1`. It neither judges, nor looks rules up, nor notices a lost event.
*/

import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {file} from 'tmp-promise';
import {printSave} from '../../src/netfilter/iptables/save.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {run} from '../system/exec.js';
import {packageRoot} from '../system/package-root.js';

/** Milliseconds that the script takes with the IPv4 rules of a set; undefined where `nc` is missing. */
export async function timeByHand(ruleSet: RuleSet): Promise<number | undefined> {
	if (await run('sh', ['-c', 'command -v nc'], {acceptStatus: [1, 127]}) === '') {
		return undefined;
	}

	const {path: dump, cleanup} = await file();
	try {
		await writeFile(dump, printSave(ruleSet, 'ipv4'));
		const start = performance.now();
		await run('sh', [path.join(packageRoot, 'testbed/bench/by-hand.sh'), dump]);
		return performance.now() - start;
	} finally {
		await cleanup();
	}
}
