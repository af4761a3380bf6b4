/**
Small readers that the parts of a scenario file share: each knows its place, and says what would be right.
*/

import {
	child, fieldsOf, itemsOf, keysOf, numberOf, wordOf, type Field, type Text,
} from '../../parsing/document.js';
import {InputError} from '../../parsing/input-error.js';
import {nearest} from '../../parsing/did-you-mean.js';
import {familyNames, familyOfAddress, shortAddress} from '../../netfilter/address.js';
import type {AddressPair} from '../topology.js';
import {shapes, type Shape} from './shapes.js';
import type {Addresses, Target} from './types.js';

/** An error at the place of a field. */
export function inputError(at: string, message: string): InputError {
	return new InputError(message, at);
}

/** What a misspelt word probably means, as the end of a sentence. */
export function meaning(name: string, known: readonly string[]): string {
	const near = nearest(name, known);
	return near?.isClose === true ? `; "${near.name}" is meant?` : `; known are ${known.join(', ')}`;
}

/**
The values of a mapping by its keys, checked against its shape.

@throws {InputError} for a key that is not known, one without a value, and one that is due and not there.
*/
export function shaped<Name extends keyof typeof shapes>(field: Field, name: Name): Readonly<Partial<Record<keyof (typeof shapes)[Name], Field>>> {
	const shape: Shape = shapes[name];
	const known = Object.keys(shape);
	const keys = keysOf(field);
	for (const {name: key, at, isEmpty} of keys) {
		if (!known.includes(key)) {
			throw inputError(at, `"${key}" is no key of ${article(name)}${meaning(key, known)}`);
		}

		if (isEmpty) {
			throw inputError(at, `"${key}" has no value`);
		}
	}

	const missing = known.find(key => shape[key]!.isDue && keys.every(({name: own}) => own !== key));
	if (missing !== undefined) {
		throw inputError(field.at, `${article(name)} has to say "${missing}": ${lower(shape[missing]!.about)}`);
	}

	return Object.fromEntries(known.flatMap(key => {
		const value = child(field, key);
		return value === undefined ? [] : [[key, value]];
	})) as Partial<Record<keyof (typeof shapes)[Name], Field>>;
}

function article(name: string): string {
	return name === 'expect' ? 'an expectation' : (name === 'addresses' ? 'a pair of addresses' : `${/^[aeio]/u.test(name) ? 'an' : 'a'} ${name}`);
}

function lower(text: string): string {
	return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}

/** The entries of a mapping whose keys are names that the user chose. */
export function entriesOf(field: Field | undefined): ReadonlyArray<readonly [name: string, value: Field]> {
	if (field === undefined) {
		return [];
	}

	const empty = keysOf(field).find(({isEmpty}) => isEmpty);
	if (empty !== undefined) {
		throw inputError(empty.at, `"${empty.name}" has no value`);
	}

	return fieldsOf(field).map(([name, value]) => {
		if (!/^[a-z][\w-]*$/u.test(name)) {
			throw inputError(value.at, `"${name}" is no name: lower-case letters, digits, - and _ make one`);
		}

		return [name, value];
	});
}

/** The items of a list, each read. */
export function listOf<T>(field: Field | undefined, read: (item: Field) => T): readonly T[] | undefined {
	return field === undefined ? undefined : itemsOf(field).map(item => read(item));
}

/** One of some words. */
export function choiceOf<Word extends string>(field: Field, words: readonly Word[]): Word {
	const {value, at} = wordOf(field);
	const found = words.find(word => word === value);
	if (found === undefined) {
		throw inputError(at, `"${value}" is none of them${meaning(value, words)}`);
	}

	return found;
}

/** A number within bounds. */
export function boundedOf(field: Field, {min, max}: {readonly min: number; readonly max: number}): number {
	const value = numberOf(field);
	if (value < min || value > max) {
		throw inputError(field.at, `a number from ${min} to ${max} is due, this is ${value}`);
	}

	return value;
}

/** A port. */
export function portOf(field: Field): number {
	return boundedOf(field, {min: 1, max: 65_535});
}

/** A port written in a word. */
export function portIn(text: string, at: string): number {
	const value = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
	if (value < 1 || value > 65_535) {
		throw inputError(at, `"${text}" is no port; a number from 1 to 65535 is due`);
	}

	return value;
}

/** `pod:8080`, `10.0.0.1:80`, `[2001:db8::1]:80`. */
export function targetOf(field: Field): Target {
	const text = wordOf(field);
	const {bracketed, plain, port} = /^(?:\[(?<bracketed>[\d.:A-Fa-f]+)\]|(?<plain>[^:[\]]+)):(?<port>\d+)$/u.exec(text.value)?.groups ?? {};
	const host = bracketed ?? plain;
	if (host === undefined || port === undefined) {
		throw inputError(text.at, `"${text.value}" is no place with a port; write pod:8080, 10.0.0.1:80 or [2001:db8::1]:80`);
	}

	return {...text, host: shortAddress(host) ?? host, port: portIn(port, text.at)};
}

/** An address as everything else here prints it. */
export function addressOf({value, at}: Text, family?: keyof AddressPair): string {
	const own = familyOfAddress(value);
	if (own === undefined || (family !== undefined && own !== family)) {
		throw inputError(at, `"${value}" is no ${family === undefined ? 'IP' : familyNames[family]} address`);
	}

	return shortAddress(value) ?? value;
}

/** One address, or one per family. */
export function addressesOf(field: Field, isPair: boolean): Addresses {
	if (!isPair) {
		const address = addressOf(wordOf(field));
		return {[familyOfAddress(address)!]: address};
	}

	const {ipv4, ipv6} = shaped(field, 'addresses');
	return {
		...(ipv4 === undefined ? {} : {ipv4: addressOf(wordOf(ipv4), 'ipv4')}),
		...(ipv6 === undefined ? {} : {ipv6: addressOf(wordOf(ipv6), 'ipv6')}),
	};
}
