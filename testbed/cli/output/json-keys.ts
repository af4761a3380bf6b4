/**
`--json KEYS`: only some of the top-level keys of a command's JSON document.
*/

import {Option, type Command} from 'commander';
import {didYouMean} from '../../../src/parsing/did-you-mean.js';
import {TestbedError} from '../../errors.js';
import {readList} from '../parsers.js';

/** Loads the schemas of the documents. They are loaded only if somebody asks for keys. */
const schemas = {
	async run() {
		const {runSchema} = await import('../../../src/report/run/schema.js');
		return runSchema;
	},
	async probe() {
		const {probeSchema} = await import('../../../src/report/probe/schema.js');
		return probeSchema;
	},
	async diff() {
		const {diffSchema} = await import('../../../src/report/comparison/schema.js');
		return diffSchema;
	},
	async mutation() {
		const {mutationSchema} = await import('../../../src/report/mutation/schema.js');
		return mutationSchema;
	},
	async coverage() {
		const {coverageSchema} = await import('../../../src/report/coverage/schema.js');
		return coverageSchema;
	},
	async verification() {
		const {verificationSchema} = await import('../../../src/report/verification/schema.js');
		return verificationSchema;
	},
	async kernels() {
		const {kernelsSchema} = await import('../../../src/report/kernels/schema.js');
		return kernelsSchema;
	},
	async rules() {
		const {rulesSchema} = await import('../../../src/report/rules/schema.js');
		return rulesSchema;
	},
	async 'rules-diff'() {
		const {rulesDiffSchema} = await import('../../../src/report/rules/schema.js');
		return rulesDiffSchema;
	},
};

const documents = new WeakMap<Option, ReadonlyArray<keyof typeof schemas>>();

/** `--json`, for a command that prints these documents. */
export function jsonOption(...names: ReadonlyArray<keyof typeof schemas>): Option {
	const option = new Option('--json <keys>', 'print only these top-level keys of the JSON document, separated by commas').argParser(readList);
	documents.set(option, names);
	return option;
}

/** The keys that an option of {@link jsonOption} takes; undefined for any other option. */
export async function keysForOption(option: Option): Promise<readonly string[] | undefined> {
	const names = documents.get(option);
	return names === undefined ? undefined : loadKeys(names);
}

async function loadKeys(names: ReadonlyArray<keyof typeof schemas>): Promise<readonly string[]> {
	const {keysOf} = await import('../../../src/parsing/schema.js');
	const loaded = await Promise.all(names.map(async name => schemas[name]()));
	return [...new Set(loaded.flatMap(schema => keysOf(schema)))];
}

/**
Checks the keys of `--json` before a command starts, and chooses JSON as its format.

@throws {TestbedError} USAGE for a key that no document of the command has, and for another format.
*/
export async function chooseKeys(command: Command): Promise<void> {
	const keys = command.getOptionValue('json') as readonly string[] | undefined;
	const names = command.options.map(option => documents.get(option)).find(own => own !== undefined);
	if (keys === undefined || names === undefined) {
		return;
	}

	const known = await loadKeys(names);
	const wrong = keys.find(key => !known.includes(key));
	if (wrong !== undefined) {
		throw new TestbedError('USAGE', {message: `--json ${wrong}: the document has no such key.${didYouMean(wrong, known)}`, hint: `Its keys are ${known.join(', ')}. For the whole document: --format json`});
	}

	const format = command.getOptionValue('format') as string | undefined;
	if (command.getOptionValueSource('format') === 'cli' && format !== 'json') {
		throw new TestbedError('USAGE', {message: `--json prints JSON, so --format ${format!} cannot be used with it.`, hint: 'Omit one of the two.'});
	}

	command.setOptionValueWithSource('format', 'json', 'implied');
}

/**
A document reduced to some of its keys; all of it without any. A command has several documents (one run, many runs), so a known key can be missing in this one.

@throws {TestbedError} USAGE for a key that this document does not have.
*/
export function pickKeys(document: unknown, keys: readonly string[] | undefined): unknown {
	if (keys === undefined) {
		return document;
	}

	const values = document as Readonly<Record<string, unknown>>;
	const missing = keys.find(key => !Object.hasOwn(values, key));
	if (missing !== undefined) {
		throw new TestbedError('USAGE', {message: `--json ${missing}: this document has only the keys ${Object.keys(values).join(', ')}.`, state: 'The run itself is complete.', hint: 'One run and several runs have different documents (docs/formats.md).'});
	}

	return Object.fromEntries(keys.map(key => [key, values[key]]));
}
