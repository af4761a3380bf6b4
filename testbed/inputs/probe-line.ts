/**
Reads the probes of `testbed probe --batch` (one JSON object per line) and of the library (objects).
*/

import {placeInJson} from '../../src/parsing/json-place.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {
	jsonWording, ProbeFault, readProbe, type Wording,
} from '../../src/scenario/read-probe.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {Topology} from '../../src/mesh/topology.js';
import {TestbedError, type ErrorCode} from '../errors.js';

/**
Reads one line. `place` names it in errors: `probes.jsonl, line 3`. `families` are those of the rules.

@throws {TestbedError} INPUT if it is not a JSON object, has an unknown key or an invalid value.
*/
export function readProbeLine(text: string, place: string, families?: readonly AddressFamily[], topology?: Topology): ProbeSpec {
	return readProbeObject(objectOf(text, place), place, families, topology);
}

/**
Reads the object of a line. `place` names it in errors. If the rules have only one of the `families`, it is that of a place whose family nobody names.

@throws {TestbedError} INPUT if it has an unknown key or an invalid value.
*/
export function readProbeObject(values: Readonly<Record<string, unknown>>, place: string, families: readonly AddressFamily[] = [], topology?: Topology): ProbeSpec {
	return orTestbedError('INPUT', () => readProbe(values, jsonWording, {placeFamily: families.length === 1 ? families[0] : undefined, topology}), message => `${place}: ${message}`);
}

/**
Reads a probe from command-line options.

@throws {TestbedError} USAGE if a value is invalid.
*/
export function readProbeOptions(values: Readonly<Record<string, unknown>>, wording: Wording, topology?: Topology): ProbeSpec {
	return orTestbedError('USAGE', () => readProbe(values, wording, {topology}));
}

function orTestbedError(code: ErrorCode, read: () => ProbeSpec, place = (message: string): string => message): ProbeSpec {
	try {
		return read();
	} catch (error) {
		if (error instanceof ProbeFault) {
			const {message, hint} = error;
			throw new TestbedError(code, {message: place(message), ...(hint === undefined ? {} : {hint}), cause: error});
		}

		throw error;
	}
}

const example = '{"from": "app", "to": "10.96.0.1:443"}';

function objectOf(text: string, place: string): Readonly<Record<string, unknown>> {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new TestbedError('INPUT', {message: `${place}: this is not JSON${placeInJson(error, text).replace('line 1, ', '')}.`, hint: `Write one object per line, for example ${example}.`});
	}

	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		throw new TestbedError('INPUT', {message: `${place}: expected an object.`, hint: `For example: ${example}`});
	}

	return value as Readonly<Record<string, unknown>>;
}
