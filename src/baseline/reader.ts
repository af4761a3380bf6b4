/**
Reads the values of a baseline's JSON; what is not as it should be is an error that names its place.
*/

import {InputError} from '../parsing/input-error.js';
import {parseAddress, printAddress} from '../netfilter/address.js';
import {placeInJson} from '../parsing/json-place.js';
import type {Endpoint} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';

const portMax = 0xFF_FF;

/** A value with its place. */
export class Reader {
	/** @throws {InputError} when it is no JSON. */
	static ofText(text: string): Reader {
		try {
			return new Reader(JSON.parse(text), '');
		} catch (error) {
			throw new InputError(`This is no baseline: it is no JSON${placeInJson(error, text)}.`);
		}
	}

	readonly value: unknown;
	readonly #place: string;

	private constructor(value: unknown, place: string) {
		this.value = value;
		this.#place = place;
	}

	/** The error for a value. */
	damaged(complaint: string): InputError {
		return new InputError(`This baseline is damaged: ${this.#place === '' ? 'the file' : `"${this.#place}"`} ${complaint}.`);
	}

	/** The value of a key. */
	at(key: string): Reader {
		const found = this.maybe(key);
		if (found === undefined) {
			throw this.damaged(`has no "${key}"`);
		}

		return found;
	}

	/** The same, or undefined. */
	maybe(key: string): Reader | undefined {
		if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) {
			throw this.damaged('is no object');
		}

		const value: unknown = Object.hasOwn(this.value, key) ? (this.value as Readonly<Record<string, unknown>>)[key] : undefined;
		return value === undefined ? undefined : new Reader(value, this.#place === '' ? key : `${this.#place}.${key}`);
	}

	list(): readonly Reader[] {
		if (!Array.isArray(this.value)) {
			throw this.damaged('is no list');
		}

		return this.value.map((value: unknown, index) => new Reader(value, `${this.#place}[${index}]`));
	}

	/** A list that is not empty. */
	some(): readonly Reader[] {
		const list = this.list();
		if (list.length === 0) {
			throw this.damaged('is empty');
		}

		return list;
	}

	text(): string {
		if (typeof this.value !== 'string') {
			throw this.damaged('is no text');
		}

		return this.value;
	}

	/** A whole number that is not negative: ids, ports, marks. */
	number(): number {
		if (!Number.isSafeInteger(this.value) || (this.value as number) < 0) {
			throw this.damaged('is no whole number');
		}

		return this.value as number;
	}

	choice<Choice extends string>(choices: readonly Choice[]): Choice {
		const found = choices.find(choice => choice === this.value);
		if (found === undefined) {
			throw this.damaged(`is none of ${choices.join(', ')}`);
		}

		return found;
	}

	texts(): Readonly<Record<string, string>> {
		return Object.fromEntries(Object.keys(this.value ?? {}).map(key => [key, this.at(key).text()]));
	}

	orNull<T>(read: (reader: Reader) => T): T | null {
		return this.value === null ? null : read(this);
	}

	/** `10.0.0.1:80`, `[::1]:80`. */
	endpoint(family: AddressFamily): Endpoint {
		const {six, four, port = ''} = /^(?:\[(?<six>[^\]]*)\]|(?<four>[^:]*)):(?<port>\d{1,5})$/u.exec(this.text())?.groups ?? {};
		const parsed = parseAddress(six ?? four ?? '', family);
		if (parsed === undefined || port === '' || Number(port) > portMax) {
			throw this.damaged(`is no address of ${family} with a port`);
		}

		return {address: printAddress(parsed), port: Number(port)};
	}
}
