/**
What a shell completes, from the definitions of the commands: their names, their options, and the values of these.
*/

import type {Argument, Command, Option} from 'commander';
import {backends} from '../../../src/netfilter/types.js';
import {typeIdsOf} from '../../../src/mesh/traffic-types.js';
import {meshes} from '../../../src/meshes.js';
import {nameOfFile} from '../../../src/lessons/parse.js';
import {lessonFiles} from '../../lessons/lesson-files.js';
import {releaseNames} from '../../inputs/releases-since.js';
import {liveKinds} from '../../live/live-pod.js';
import {offerOf} from '../definitions/offers.js';
import {allCommands} from '../all-commands.js';
import {namedCases} from '../commands/test-cases.js';
import {keysForOption} from '../output/json-keys.js';

/** What a value can be. `words` may be joined with commas if it is a list. `report` is a file, or a format, an equals sign and a file. `rules` is a rule input. `text` is anything else, for which a shell has nothing to offer. */
export type Value =
	| {readonly kind: 'words'; readonly words: readonly string[]; readonly isList: boolean}
	| {readonly kind: 'report'; readonly formats: readonly string[]}
	| {readonly kind: 'file' | 'rules' | 'scenarios' | 'text'};

/** An option. Without a value, it is a flag. */
export type CompletedOption = {readonly long: string; readonly short: string | undefined; readonly about: string; readonly value: Value | undefined};

/** A command. `words` is its name after that of the program: `baseline check`. */
export type CompletedCommand = {
	readonly words: readonly string[];
	readonly about: string;
	readonly options: readonly CompletedOption[];
	/** What its arguments can be; the last one repeats if `isVariadic`. */
	readonly values: readonly Value[];
	readonly isVariadic: boolean;
	/** The names of its subcommands. */
	readonly below: readonly string[];
};

/** The words before the colon of rule inputs; a release follows the first three, and the names of live pods are not completed. */
export const inputKinds = {withRelease: ['release:', 'ambient:', 'ambient-host:'], withFile: ['pod:', 'file:'], live: liveKinds.map(kind => `${kind}:`)} as const;

/** All releases that an input can name. */
export const releases: readonly string[] = ['latest', ...releaseNames];

/** Ends of the names of scenario files. */
export const scenarioEnds = ['yaml', 'yml', 'json'] as const;

const families = ['ipv4', 'ipv6', 'both'] as const;

/** Values of options that mean the same in every command. Those that have choices of their own, or name a file, need no entry. */
const valuesByName: Readonly<Record<string, () => Value>> = {
	'--rules': () => ({kind: 'rules'}),
	'--diff': () => ({kind: 'rules'}),
	'--backend': () => words([...backends, 'all'], true),
	'--family': () => words(families),
	'--types': () => words([...new Set(meshes.flatMap(({traffic}) => typeIdsOf(traffic))), 'all'], true),
	'--release': () => words(releaseNames),
	'--since': () => words(releaseNames),
	'--cases': () => words(namedCases, true),
	'--require': () => words(namedCases, true),
	'--scenarios': () => ({kind: 'scenarios'}),
};

/** Values of arguments, by the names that the definitions give them. */
const valuesOfArguments: Readonly<Record<string, () => Value>> = {
	scenario: () => ({kind: 'scenarios'}),
	input: () => ({kind: 'rules'}),
	inputs: () => ({kind: 'rules'}),
	rules: () => ({kind: 'rules'}),
	baseline: () => ({kind: 'file'}),
	file: () => ({kind: 'file'}),
	files: () => ({kind: 'file'}),
	name: () => words(lessonFiles().map(file => nameOfFile(file).name)),
	actor: () => words(['app', 'proxy', 'remote']),
};

function words(list: readonly string[], isList = false): Value {
	return {kind: 'words', words: list, isList};
}

/** What the value of an option can be; undefined for a flag. */
export async function valueOf(option: Option): Promise<Value | undefined> {
	const {long, flags, argChoices, required, optional} = option;
	if (!required && !optional) {
		return undefined;
	}

	const offer = offerOf(option);
	if (offer !== undefined) {
		return offer.kind === 'words' ? words(offer.words) : offer;
	}

	const keys = await keysForOption(option);
	if (keys !== undefined) {
		return words(keys, true);
	}

	if (argChoices !== undefined) {
		return words(argChoices);
	}

	const known = long !== undefined && Object.hasOwn(valuesByName, long) ? valuesByName[long]!() : undefined;
	if (known !== undefined) {
		// A single value where the command takes one, also if others take a list.
		return known.kind === 'words' && known.isList && !flags.includes('<list>') ? words(known.words.filter(word => word !== 'all')) : known;
	}

	return {kind: flags.includes('<file>') || flags.includes('<file...>') ? 'file' : 'text'};
}

function valueOfArgument(argument: Argument): Value {
	if (argument.argChoices !== undefined) {
		return words(argument.argChoices);
	}

	return Object.hasOwn(valuesOfArguments, argument.name()) ? valuesOfArguments[argument.name()]!() : {kind: 'text'};
}

/** The first part of a description, which fits beside a name. */
function shortened(text: string): string {
	return text.split(/[;:(]|, (?:or|and|so|which) /u)[0]!.trim();
}

/** All commands: first the program itself, which stands for `run`, then each command with its subcommands. */
export async function completedCommands(program: Command): Promise<readonly CompletedCommand[]> {
	const [own, ...all] = await Promise.all(allCommands(program).map(async ({command, words: path}) => completed(command, path)));
	const run = all.find(({words: [name]}) => name === 'run')!;
	return [
		{
			...own!, options: [...new Map([...run.options, ...own!.options].map(option => [option.long, option])).values()], values: run.values, isVariadic: run.isVariadic,
		},
		...all,
		{
			words: ['help'], about: 'show help', options: [], values: [words(program.commands.map(command => command.name()))], isVariadic: false, below: [],
		},
	];
}

async function completed(command: Command, path: readonly string[]): Promise<CompletedCommand> {
	return {
		words: path,
		about: shortened(command.description()),
		options: await optionsOf(command),
		values: command.registeredArguments.map(argument => valueOfArgument(argument)),
		isVariadic: command.registeredArguments.at(-1)?.variadic === true,
		below: [...command.commands.map(below => below.name()), ...(path.length === 0 ? ['help'] : [])],
	};
}

async function optionsOf(command: Command): Promise<readonly CompletedOption[]> {
	const own = await Promise.all(command.options.map(async (option): Promise<CompletedOption> => ({
		long: option.long!, short: option.short, about: shortened(option.description), value: await valueOf(option),
	})));
	return [
		...own,
		{
			long: '--help', short: '-h', about: 'show help', value: undefined,
		},
	];
}
