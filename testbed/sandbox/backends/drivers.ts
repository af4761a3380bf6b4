/**
The driver of each back end, and how several follow each other on one sandbox.
*/

import {backends, type Backend} from '../../../src/netfilter/types.js';
import type {BackendDriver} from './driver.js';
import {iptablesLegacy} from './iptables-legacy.js';
import {iptablesNft} from './iptables-nft.js';
import {nftables} from './nftables.js';

const byName: Readonly<Record<Backend, BackendDriver>> = {'iptables-nft': iptablesNft, 'iptables-legacy': iptablesLegacy, nftables};

/** The driver of a back end. */
export function driverOf(backend: Backend): BackendDriver {
	return byName[backend];
}

/** All drivers, in the order of `backends`. */
export const drivers: readonly BackendDriver[] = backends.map(backend => driverOf(backend));

/** Whether rules of a back end can be put where those of another were: only what can be taken away makes room. */
export function canFollow(before: Backend, backend: Backend): boolean {
	return before === backend || driverOf(before).removeTables !== undefined;
}

/** The place of a back end in an order in which each can follow those before it on the same sandbox. */
export function runOrderOf(backend: Backend): number {
	return runOrder.indexOf(backend);
}

const runOrder: readonly Backend[] = backends.toSorted((one, other) => Number(canFollow(other, one)) - Number(canFollow(one, other)));
