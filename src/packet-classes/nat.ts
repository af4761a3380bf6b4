/**
How a nat rule changes a packet's addresses, as far as the rule alone shows.
*/

import {printAddress} from '../netfilter/address.js';
import {newDestinationOf} from '../netfilter/new-destination.js';
import type {AddressFamily, Hook, Target} from '../netfilter/types.js';
import type {Bound} from './condition-field.js';
import type {Interval} from './fields.js';

/** The source or destination that a target sets. REDIRECT sends outgoing packets to the loopback address, and incoming ones to the address of their interface (nf_nat_redirect.c). */
export function translationOf(target: Target, {hook}: {readonly hook: Hook}, {family, pod}: {readonly family: AddressFamily; readonly pod: Interval}): {readonly from?: Bound; readonly to?: Bound} {
	if (target.kind === 'redirect') {
		const {toPorts} = target;
		const address = redirectedTo(hook, family, pod);
		return {to: address === undefined || toPorts === undefined || toPorts.from !== toPorts.to ? 'unknown' : {address, port: toPorts.from}};
	}

	if (target.kind !== 'extension') {
		return {};
	}

	switch (target.name.toUpperCase()) {
		case 'DNAT': {
			const {address, port} = newDestinationOf(target) ?? {};
			return {to: address === undefined || port === undefined ? 'unknown' : {address, port}};
		}

		case 'SNAT':
		case 'MASQUERADE': {
			return {from: 'unknown'};
		}

		case 'REDIRECT':
		case 'NETMAP': {
			return {to: 'unknown'};
		}

		default: {
			return {};
		}
	}
}

function redirectedTo(hook: Hook, family: AddressFamily, pod: Interval): string | undefined {
	if (hook === 'output') {
		return family === 'ipv4' ? '127.0.0.1' : '::1';
	}

	return hook === 'prerouting' ? printAddress({family, value: pod.first}) : undefined;
}
