/**
The destination that a target sets, as far as the rule alone shows.
*/

import {parseAddress} from './address.js';
import type {Target} from './types.js';

/** The address and port of DNAT: `--to-destination 172.17.0.2:8080`, `to [2001:db8::1]:80`. Undefined for a target without one, or with a range. */
export function newDestinationOf(target: Target): {readonly address: string; readonly port: number | undefined} | undefined {
	if (target.kind !== 'extension' || target.name.toUpperCase() !== 'DNAT') {
		return undefined;
	}

	const {bracketed, plain, port} = /(?:--to-destination |\bto )(?:\[(?<bracketed>[\da-f:.]+)\]|(?<plain>[\d.]+|[\da-f:]+?))(?::(?<port>\d+))?$/iu.exec(target.options)?.groups ?? {};
	const address = bracketed ?? plain;
	return address === undefined || parseAddress(address) === undefined ? undefined : {address, port: port === undefined ? undefined : Number(port)};
}
