/**
What a rule of nat makes of a packet's addresses, as far as the rule alone tells.
*/

import {printAddress} from '../netfilter/address.js';
import type {AddressFamily, Hook, Target} from '../netfilter/types.js';
import type {Bound} from './condition-field.js';
import type {Interval} from './fields.js';

/** The ends that a target changes. REDIRECT sends what is going out to the loopback address, and what comes in to the address of its interface (nf_nat_redirect.c). */
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
			const [, address, port] = /(?:--to-destination |\bto )\[?(?<address>[\d.]+|[\da-f:]+?)\]?(?::(?<port>\d+))?$/iu.exec(target.options) ?? [];
			return {to: address === undefined || port === undefined ? 'unknown' : {address, port: Number(port)}};
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
