/**
What a mesh sets up besides its rules so that they can work.
*/

import type {AddressFamily} from '../netfilter/types.js';

/** Addresses, ip rules and routes that go with the rules of a mesh. */
export type SidecarRouting = {
	/** Addresses that the loopback device needs. */
	readonly loopbackAddresses: ReadonlyArray<{readonly family: AddressFamily; readonly address: string}>;
	/** `ip rule add fwmark MARK lookup TABLE`; with `fwmark MARK/MASK` and `pref PRIORITY` if these are given. */
	readonly markRules: ReadonlyArray<{readonly family: AddressFamily; readonly mark: number; readonly mask?: number; readonly table: number; readonly priority?: number}>;
	/** `ip route add local DESTINATION dev lo table TABLE`. */
	readonly localRoutes: ReadonlyArray<{readonly family: AddressFamily; readonly destination: string; readonly table: number}>;
};

/** Nothing besides the rules. */
export const noRouting: SidecarRouting = {loopbackAddresses: [], markRules: [], localRoutes: []};
