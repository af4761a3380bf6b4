/**
How `ip` is told the family (ip(8)).
*/

import type {AddressFamily} from '../../src/netfilter/types.js';

/** The option of `ip` for each family. */
export const ipFlags = {ipv4: '-4', ipv6: '-6'} as const satisfies Record<AddressFamily, string>;
