/**
The driver of each back end, and in which order they can share one sandbox.
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

/** Whether rules of a back end can be installed after those of another: those must be removable. */
export function canFollow(before: Backend, backend: Backend): boolean {
	return before === backend || driverOf(before).removeTables !== undefined;
}

/** The index of a back end in an order in which each can follow the previous ones in the same sandbox. */
export function runOrderOf(backend: Backend): number {
	return runOrder.indexOf(backend);
}

const runOrder: readonly Backend[] = backends.toSorted((one, other) => Number(canFollow(other, one)) - Number(canFollow(one, other)));
