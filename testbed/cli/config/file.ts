/**
Reads configuration files.
*/

import {existsSync, realpathSync} from 'node:fs';
import path from 'node:path';
import type {Command, Option} from 'commander';
import {didYouMean} from '../../../src/parsing/did-you-mean.js';
import {
	child, fieldAt, fieldsOf, isMapping, itemsOf, lineOf, plainOf, readDocuments, wordOf, type Field,
} from '../../../src/parsing/document.js';
import {InputError} from '../../../src/parsing/input-error.js';
import {TestbedError} from '../../errors.js';
import {readText} from '../../inputs/read-text.js';
import {liveNameOf, parseSource} from '../../inputs/source.js';
import {
	isForFiles, keyOf, settableCommands, takesValue, variableOf,
} from './settable.js';

/** A value, and where it was set: `testbed.config.yaml, line 3`, or a variable. `isShared`: for every command that has the option. */
export type Setting = {readonly value: string | boolean; readonly origin: string; readonly isShared: boolean};

/** What a file sets, by the name of a command (empty for all commands) and the key of the option. */
export type Config = {readonly file: string; readonly sections: ReadonlyMap<string, ReadonlyMap<string, Setting>>};

/**
Reads a file.

@throws {TestbedError} INPUT for a file that cannot be read, and for an unknown key, with its line.
*/
export function readConfig(file: string, program: Command): Config {
	const text = readText({file, what: 'The configuration file'});
	try {
		const [root, second] = readDocuments(text);
		if (root === undefined) {
			return {file, sections: new Map()};
		}

		if (second !== undefined || !isMapping(root)) {
			throw new InputError(second === undefined ? 'it must be a mapping of options to values.' : 'it holds several documents; expected one.');
		}

		return {file, sections: readSections(root, {file, program})};
	} catch (error) {
		if (error instanceof InputError) {
			throw new TestbedError('INPUT', {message: `${file}: ${error.message}`, state: 'Nothing was run.', cause: error});
		}

		throw error;
	}
}

type Reading = {readonly file: string; readonly program: Command};

function readSections(root: Field, reading: Reading): Config['sections'] {
	const commands = settableCommands(reading.program);
	const sections = new Map<string, Map<string, Setting>>([['', new Map()]]);
	for (const key of namesIn(root)) {
		const command = commands.find(({name}) => name === key)?.command;
		const field = fieldAt(root, [key]);
		const options = commands.flatMap(one => one.command.options);
		// `rules` and `diff` are commands and options: a mapping is for the command.
		const isOption = command === undefined || (!isMapping(field) && options.some(option => option.long === `--${key}`));
		if (isOption) {
			sections.get('')!.set(key, settingOf(key, field, {...reading, options, others: commands.map(({name}) => name)}));
			continue;
		}

		if (!isMapping(field)) {
			throw new InputError(`line ${lineOf(field)}: ${key} is a command, so it must be a mapping of its options to values.`);
		}

		sections.set(key, new Map(namesIn(field).map(name => [name, settingOf(name, fieldAt(field, [name]), {...reading, options: command.options, others: []})])));
	}

	return sections;
}

/** The keys of a mapping, also of those without a value. */
function namesIn(field: Field): readonly string[] {
	const known = fieldsOf(field).map(([name]) => name);
	const empty = Object.keys(plainOf(field) as Readonly<Record<string, unknown>>).find(name => child(field, name) === undefined);
	if (empty !== undefined) {
		throw new InputError(`${empty} has no value.`);
	}

	return known;
}

function settingOf(key: string, field: Field, {file, options, others}: Reading & {readonly options: readonly Option[]; readonly others: readonly string[]}): Setting {
	const line = lineOf(field);
	const own = options.filter(option => option.long !== undefined && keyOf(option) === key);
	const [option] = own;
	if (option === undefined) {
		throw new InputError(`line ${line}: there is no option "${key}".${didYouMean(key, [...new Set([...options.filter(one => isForFiles(one)).map(one => keyOf(one)), ...others])])}`);
	}

	if (!isForFiles(option)) {
		throw new InputError(`line ${line}: "${key}" cannot be set in a file, which may come from somebody else. Write --${key} on the command line, or set ${variableOf(option)}.`);
	}

	const value = plainOf(field);
	const isFlag = !own.some(one => takesValue(one));
	if (isFlag && typeof value !== 'boolean') {
		throw new InputError(`line ${line}: "${key}" must be true or false.`);
	}

	const text = isFlag ? value as boolean : wordsIn(field, {key, line}).join(',');
	if (typeof text === 'string' && /<(?:file|input)>/u.test(option.flags)) {
		refuseOutside(text, {key, line, file});
	}

	// Cases can be scenario files.
	if (typeof text === 'string' && ['cases', 'require'].includes(key)) {
		for (const word of text.split(',').filter(each => /[./]/u.test(each))) {
			refuseOutside(word, {key, line, file});
		}
	}

	return {value: text, origin: `${file}, line ${line}`, isShared: others.length > 0};
}

/** One word or several, as they are written. Without quotes, YAML reads 1.30 as the number 1.3. */
function wordsIn(field: Field, {key, line}: {readonly key: string; readonly line: number}): readonly string[] {
	const items = Array.isArray(plainOf(field)) ? itemsOf(field) : [field];
	return items.map(item => {
		const value = plainOf(item);
		if (typeof value === 'number' && !Number.isInteger(value)) {
			throw new InputError(`line ${line}: "${key}" must be in quotes: YAML reads it as the number ${value}.`);
		}

		if (typeof value !== 'string' && typeof value !== 'number') {
			throw new InputError(`line ${line}: "${key}" must be a text or a number, or a list of these.`);
		}

		return wordOf(item).value;
	});
}

/** A file that a configuration file names must be in its folder, and it cannot name a live pod: the rules of others are none of its business. */
function refuseOutside(source: string, {key, line, file}: {readonly key: string; readonly line: number; readonly file: string}): void {
	if (liveNameOf(source) !== undefined) {
		throw new InputError(`line ${line}: "${key}" cannot name a live pod in a file, which may come from somebody else. Name it on the command line.`);
	}

	const named = parseSource(source).file;
	if (named === undefined) {
		return;
	}

	const folder = realpathSync(path.dirname(file));
	const wanted = path.resolve(named);
	const real = existsSync(wanted) ? realpathSync(wanted) : wanted;
	if (named === '-' || path.isAbsolute(path.relative(folder, real)) || path.relative(folder, real).startsWith('..')) {
		throw new InputError(`line ${line}: "${key}" must name a file in the folder of ${path.basename(file)}, or below it. Others can be named on the command line.`);
	}
}
