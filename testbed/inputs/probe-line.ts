/**
What `testbed probe --batch` is asked: one JSON object a line.
*/

import type {AddressFamily} from '../../src/netfilter/types.js';
import {placeInJson} from '../../src/parsing/json-place.js';
import {nearest} from '../../src/parsing/did-you-mean.js';
import {TestbedError} from '../errors.js';
import type {BatchQuestion} from './probe-question.js';
import {readDestination, readSource, senders} from './probe-target.js';

const keys = ['id', 'from', 'to', 'family', 'uid', 'gid', 'proto', 'source', 'sourcePort', 'bindDevice', 'mark'] as const;
const isKey = (text: string): text is typeof keys[number] => (keys as readonly string[]).includes(text);

/**
Reads one line. `place` names it in errors: `probes.jsonl, line 3`.

@throws {TestbedError} INPUT when it is no JSON object, has an unknown key, or a value that makes no sense.
*/
export function readProbeLine(text: string, place: string): BatchQuestion {
	const wrong = (message: string, hint?: string): TestbedError => new TestbedError('INPUT', {message: `${place}: ${message}`, ...(hint === undefined ? {} : {hint})});
	const values = objectOf(text, wrong);
	for (const key of Object.keys(values)) {
		if (!isKey(key)) {
			const near = nearest(key, keys);
			throw wrong(`"${key}" is no key of a probe.`, near?.isClose === true ? `Did you mean "${near.name}"?` : `Keys are ${keys.join(', ')}.`);
		}
	}

	const oneOf = <Name extends string>(key: string, names: readonly Name[]): Name | undefined => {
		const value = values[key];
		if (value !== undefined && !names.includes(value as Name)) {
			throw wrong(`"${key}" is ${JSON.stringify(value)}; one of ${names.join(', ')} is due.`);
		}

		return value as Name | undefined;
	};

	const number = (key: string, max: number): number | undefined => {
		const value = values[key];
		if (value !== undefined && !(Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max)) {
			throw wrong(`"${key}" is ${JSON.stringify(value)}; a whole number from 0 to ${max} is due.`);
		}

		return value as number | undefined;
	};

	const word = (key: string): string | undefined => {
		const value = values[key];
		if (value !== undefined && (typeof value !== 'string' || value === '')) {
			throw wrong(`"${key}" is ${JSON.stringify(value)}; a text is due.`);
		}

		return value;
	};

	const to = word('to');
	if (to === undefined) {
		throw wrong('"to" is missing: ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT.');
	}

	const placed = <Value>(read: () => Value): Value => {
		try {
			return read();
		} catch (error) {
			if (error instanceof TestbedError) {
				throw wrong(error.message.replace(/^--/u, ''), error.hint?.replaceAll('--to ', 'to ').replaceAll('--family', 'family'));
			}

			throw error;
		}
	};

	const protocol = oneOf('proto', ['tcp', 'udp'] as const) ?? 'tcp';
	const family = oneOf<AddressFamily>('family', ['ipv4', 'ipv6']);
	const destination = placed(() => readDestination(to, family));
	const source = word('source');
	return {
		...destination,
		id: values['id'],
		from: oneOf('from', senders) ?? 'app',
		uid: number('uid', idMax),
		gid: number('gid', idMax),
		protocol,
		source: source === undefined ? undefined : placed(() => readSource(source, destination.family)),
		sourcePort: number('sourcePort', 65_535),
		device: word('bindDevice'),
		mark: number('mark', 0xFF_FF_FF_FF),
	};
}

const idMax = 0xFF_FF_FF_FE; // (uid_t) -1 means "no change" to the kernel.

function objectOf(text: string, wrong: (message: string, hint?: string) => TestbedError): Readonly<Record<string, unknown>> {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw wrong(`this is no JSON${placeInJson(error, text).replace('line 1, ', '')}.`, 'One object a line, for instance {"from": "app", "to": "10.96.0.1:443"}.');
	}

	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		throw wrong('an object is due.', 'For instance {"from": "app", "to": "10.96.0.1:443"}.');
	}

	return value as Readonly<Record<string, unknown>>;
}
