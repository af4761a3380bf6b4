/**
The JSON Schema of configuration files, from the definitions of the commands. Editors complete and check files with it; the testbed itself checks values by the parsers of the options.
*/

import type {Command, Option} from 'commander';
import type {JsonSchema} from '../../../src/parsing/json-schema.js';
import {valueOf} from '../completion/model.js';
import {
	isForFiles, keyOf, settableCommands, type NamedCommand,
} from './settable.js';

/** The schema, draft 7. */
export async function configSchema(program: Command): Promise<JsonSchema> {
	const commands = settableCommands(program).filter(({command}) => command.options.some(option => isForFiles(option)));
	const shared = await Promise.all(commands.map(async ({command}) => propertiesOf(command.options.filter(option => isForFiles(option)))));
	const sections = await Promise.all(commands.map(async one => [one.name, await sectionOf(one)] as const));
	return {
		$schema: 'http://json-schema.org/draft-07/schema#',
		title: 'Configuration of the netfilter testbed',
		description: 'testbed.config.yaml or testbed.config.json. A key is an option, for every command that has it, or a command with its own options.',
		type: 'object',
		properties: merged([...shared.flat(), ...sections]),
		additionalProperties: false,
	};
}

/** Properties by their names: any of those with one name. Commands differ in what an option takes and in its description; `rules` and `diff` are options and commands. */
function merged(properties: ReadonlyArray<readonly [key: string, schema: JsonSchema]>): Readonly<Record<string, JsonSchema>> {
	const byName = new Map<string, Map<string, JsonSchema>>();
	for (const [key, schema] of properties) {
		const {description: _, ...type} = schema;
		const own = byName.get(key) ?? new Map<string, JsonSchema>();
		byName.set(key, own);
		if (!own.has(JSON.stringify(type))) {
			own.set(JSON.stringify(type), schema);
		}
	}

	return Object.fromEntries([...byName].map(([key, own]) => [key, own.size === 1 ? [...own.values()][0]! : {anyOf: [...own.values()]}]));
}

async function sectionOf({name, command}: NamedCommand): Promise<JsonSchema> {
	return {
		description: `Options of testbed ${name}.`, type: 'object', properties: Object.fromEntries(await propertiesOf(command.options.filter(option => isForFiles(option)))), additionalProperties: false,
	};
}

async function propertiesOf(options: readonly Option[]): Promise<ReadonlyArray<readonly [key: string, schema: JsonSchema]>> {
	return Promise.all(options.map(async option => [keyOf(option), {description: option.description, ...await typeOf(option)}] as const));
}

/** What a file can hold for an option. A list is written as YAML's, or with commas. */
async function typeOf(option: Option): Promise<JsonSchema> {
	const value = await valueOf(option);
	if (value === undefined) {
		return {type: 'boolean'};
	}

	if (value.kind === 'words' && !value.isList) {
		return {enum: value.words};
	}

	const word = {type: ['string', 'integer']};
	return value.kind === 'words' ? {anyOf: [word, {type: 'array', minItems: 1, items: word}]} : word;
}
