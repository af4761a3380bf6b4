/**
What `testbed probe --batch` and the library are asked: one JSON object a line, or the object itself.
*/

import {placeInJson} from '../../src/parsing/json-place.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {ProbeFault, readProbe, type Wording} from '../../src/scenario/read-probe.js';
import {TestbedError, type ErrorCode} from '../errors.js';

/**
Reads one line. `place` names it in errors: `probes.jsonl, line 3`.

@throws {TestbedError} INPUT when it is no JSON object, has an unknown key, or a value that makes no sense.
*/
export function readProbeLine(text: string, place: string): ProbeSpec {
	return readProbeObject(objectOf(text, place), place);
}

/**
Reads the object of a line. `place` names it in errors.

@throws {TestbedError} INPUT when it has an unknown key, or a value that makes no sense.
*/
export function readProbeObject(values: Readonly<Record<string, unknown>>, place: string): ProbeSpec {
	return orTestbedError('INPUT', () => readProbe(values), message => `${place}: ${message}`);
}

/**
Reads a probe from options of the command line.

@throws {TestbedError} USAGE when a value makes no sense.
*/
export function readProbeOptions(values: Readonly<Record<string, unknown>>, wording: Wording): ProbeSpec {
	return orTestbedError('USAGE', () => readProbe(values, wording));
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
		throw new TestbedError('INPUT', {message: `${place}: this is not JSON${placeInJson(error, text).replace('line 1, ', '')}.`, hint: `Write one object a line, for instance ${example}.`});
	}

	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		throw new TestbedError('INPUT', {message: `${place}: it must be an object.`, hint: `For instance ${example}.`});
	}

	return value as Readonly<Record<string, unknown>>;
}
