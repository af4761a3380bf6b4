/**
Small readers that the parts of a scenario file share: each knows its place, and says what would be valid.
*/

import type {Text} from '../../parsing/document.js';
import {InputError} from '../../parsing/input-error.js';
import {familyNames, familyOfAddress, shortAddress} from '../../netfilter/address.js';
import type {AddressPair} from '../../mesh/topology.js';
import {adviceFor, type DataPath} from '../../parsing/validate.js';
import type {AddressesData} from './schema.js';
import type {Addresses, Target} from './types.js';

/** The place of a value in the file, by its path from the value that is read. */
export type At = (...path: DataPath) => string;

/** The places below one. */
export function below(at: At, ...path: DataPath): At {
	return (...more) => at(...path, ...more);
}

/** An error at the place of a field. */
export function inputError(at: string, message: string): InputError {
	return new InputError(message, at);
}

/** What a misspelled word probably means, as the end of a sentence. */
export function meaning(name: string, known: readonly string[]): string {
	return `; ${adviceFor(name, known)}`;
}

/** A port in text form. */
export function portIn(text: string, at: string): number {
	const value = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
	if (value < 1 || value > 65_535) {
		throw inputError(at, `"${text}" is not a port; expected a number from 1 to 65535`);
	}

	return value;
}

/** `pod:8080`, `10.0.0.1:80`, `[2001:db8::1]:80`: the parts of such a text. */
export function targetOf(text: Text): Target {
	const colon = text.value.lastIndexOf(':');
	const host = text.value.slice(0, colon).replaceAll(/[[\]]/gu, '');
	return {...text, host: shortAddress(host) ?? host, port: portIn(text.value.slice(colon + 1), text.at)};
}

/** An address in the form in which it is printed everywhere. */
export function addressOf({value, at}: Text, family?: keyof AddressPair): string {
	const own = familyOfAddress(value);
	if (own === undefined || (family !== undefined && own !== family)) {
		throw inputError(at, `"${value}" is not an ${family === undefined ? 'IP' : familyNames[family]} address`);
	}

	return shortAddress(value) ?? value;
}

/** One address, or one per family. */
export function addressesOf(data: AddressesData, at: At): Addresses {
	if (typeof data === 'string') {
		const address = addressOf({value: data, at: at()});
		return {[address.includes(':') ? 'ipv6' : 'ipv4']: address};
	}

	const {ipv4, ipv6} = data;
	return {
		...(ipv4 === undefined ? {} : {ipv4: addressOf({value: ipv4, at: at('ipv4')}, 'ipv4')}),
		...(ipv6 === undefined ? {} : {ipv6: addressOf({value: ipv6, at: at('ipv6')}, 'ipv6')}),
	};
}
