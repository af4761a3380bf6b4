/**
Values of fields as text, as in rules and probes.
*/

import {printAddress} from '../netfilter/address.js';
import {packetKinds, type FieldName, type Fields} from './fields.js';

/** A value as text: an address, a number, a protocol's name. */
export function printValue({family, protocols}: Pick<Fields, 'family' | 'protocols'>, field: FieldName, value: bigint): string {
	switch (field) {
		case 'source':
		case 'destination': {
			return printAddress({family, value});
		}

		case 'protocol': {
			return protocols[Number(value)] ?? String(value);
		}

		case 'packet': {
			return packetKinds[Number(value)] ?? String(value);
		}

		case 'mark': {
			return `0x${value.toString(16)}`;
		}

		case 'source-port':
		case 'destination-port':
		case 'uid':
		case 'gid': {
			return String(value);
		}
	}
}
