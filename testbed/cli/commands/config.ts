/**
`testbed config`: the options that count for a command, and where each value comes from.
*/

import type {Command} from 'commander';
import {didYouMean} from '../../../src/parsing/did-you-mean.js';
import {TestbedError} from '../../errors.js';
import {writeOut} from '../../system/streams.js';
import {applySettings} from '../config/apply.js';
import {commandsIn, keyOf, variableOf} from '../config/settable.js';
import {findConfig, sourcesOfProcess, type Sources} from '../config/sources.js';

/** An option with its value. `from` is the place in a file, a variable, `default`, or null for an option that has no value. */
export type ShownOption = {readonly option: string; readonly value: unknown; readonly from: string | null; readonly variable: string};

/**
Prints the options; returns the exit status.

@throws {TestbedError} USAGE for an unknown command, and as {@link applySettings}.
*/
export async function configCommand(words: readonly string[], {format, program}: {readonly format: 'text' | 'json'; readonly program: Command}): Promise<number> {
	const name = words.length === 0 ? 'run' : words.join(' ');
	const commands = commandsIn(program);
	const found = commands.find(one => one.name === name);
	if (found === undefined) {
		const names = commands.map(one => one.name);
		throw new TestbedError('USAGE', {message: `There is no command "${name}".${didYouMean(name, names)}`, hint: `The commands are ${names.join(', ')}.`});
	}

	const sources = sourcesOfProcess();
	const options = shownOptions(found.command, sources);
	const file = findConfig(sources.folder, sources.environment) ?? null;
	await writeOut(format === 'json' ? `${JSON.stringify({command: name, file, options}, undefined, 2)}\n` : printOptions({name, file, options}));
	return 0;
}

/** The options of a command that was not called, with what files and variables say. */
export function shownOptions(command: Command, sources: Sources): readonly ShownOption[] {
	const origins = applySettings(command, sources);
	return command.options.map(option => {
		const attribute = option.attributeName();
		const value: unknown = command.getOptionValue(attribute);
		return {
			option: keyOf(option), value: value ?? null, from: origins.get(attribute) ?? (value === undefined ? null : 'default'), variable: variableOf(option),
		};
	});
}

function printOptions({name, file, options}: {readonly name: string; readonly file: string | null; readonly options: readonly ShownOption[]}): string {
	const set = options.filter(({from}) => from !== null);
	const texts = set.map(({option, value}) => `--${option} ${[value].flat().map(item => typeof item === 'string' ? item : JSON.stringify(item)).join(',')}`);
	const column = Math.max(...texts.map(text => text.length)) + 2;
	return [
		`testbed ${name}, ${file === null ? 'without a configuration file' : `with ${file}`}:`,
		...set.map(({from}, index) => `  ${texts[index]!.padEnd(column)}${from!}`),
		`Not set: ${options.filter(({from}) => from === null).map(({option}) => `--${option}`).join(' ')}`,
	].map(line => `${line}\n`).join('');
}
