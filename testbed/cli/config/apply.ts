/**
Settings from variables and configuration files, for options that the command line does not give. A variable counts more than a file, and the section of a command more than the whole file.
*/

import {CommanderError, InvalidArgumentError, type Command, type Option} from 'commander';
import {closestName} from '../../../src/parsing/did-you-mean.js';
import {TestbedError} from '../../errors.js';
import {anyOf} from '../parsers.js';
import {readConfig, type Config, type Setting} from './file.js';
import {commandsIn, keyOf, takesValue, variableOf} from './settable.js';
import {findConfig, type Sources} from './sources.js';

/** Variables that are not options. */
const ownVariables = new Set(['TESTBED_CONFIG', 'TESTBED_DEBUG']);

/** Where each value that a command got from elsewhere was set, by the option's attribute. */
export type Origins = ReadonlyMap<string, string>;

/**
Sets the options of a command that the command line did not give.

@throws {TestbedError} USAGE for a variable, INPUT for a file with a value that the option does not take, and for unknown names.
*/
export function applySettings(command: Command, {environment, folder}: Sources): Origins {
	const program = rootOf(command);
	refuseMisspelled(program, environment);
	const file = findConfig(folder, environment);
	const config = file === undefined ? undefined : readConfig(file, program);
	const name = commandsIn(program).find(one => one.command === command)?.name ?? '';
	const origins = new Map<string, string>();
	for (const option of command.options) {
		const attribute = option.attributeName();
		const source = command.getOptionValueSource(attribute);
		const setting = source === undefined || source === 'default' ? settingFor(option, {name, config, environment}) : undefined;
		if (setting !== undefined) {
			set(command, option, setting);
			origins.set(attribute, setting.origin);
		}
	}

	return origins;
}

/**
The same once more: what files and variables set before is forgotten first.

@throws {TestbedError} as {@link applySettings}.
*/
export function applySettingsAnew(command: Command, sources: Sources): Origins {
	for (const option of command.options) {
		const attribute = option.attributeName();
		if (command.getOptionValueSource(attribute) === 'config') {
			command.setOptionValueWithSource(attribute, option.defaultValue, 'default');
		}
	}

	return applySettings(command, sources);
}

function rootOf(command: Command): Command {
	return command.parent === null ? command : rootOf(command.parent);
}

/** A variable that nearly is one of an option would be missed without a word. */
function refuseMisspelled(program: Command, environment: Sources['environment']): void {
	const known = [...new Set(commandsIn(program).flatMap(({command}) => command.options.map(option => variableOf(option))))];
	for (const name of Object.keys(environment).filter(each => each.startsWith('TESTBED_') && !known.includes(each) && !ownVariables.has(each))) {
		const meant = closestName(name, known);
		if (meant !== undefined) {
			throw new TestbedError('USAGE', {message: `The variable ${name} is not read. Did you mean ${meant}?`, hint: `Unset it, or rename it: unset ${name}`});
		}
	}
}

function settingFor(option: Option, {name, config, environment}: {readonly name: string; readonly config: Config | undefined; readonly environment: Sources['environment']}): Setting | undefined {
	const variable = variableOf(option);
	const value = environment[variable];
	if (value !== undefined && value !== '') {
		return {value: takesValue(option) ? value : truthOf(value, variable), origin: variable, isShared: true};
	}

	return config?.sections.get(name)?.get(keyOf(option)) ?? config?.sections.get('')?.get(keyOf(option));
}

function truthOf(value: string, variable: string): boolean {
	const truths: Readonly<Record<string, boolean>> = {
		true: true, 1: true, false: false, 0: false,
	};
	if (!Object.hasOwn(truths, value)) {
		throw new TestbedError('USAGE', {message: `${variable}=${value}: it must be true or false.`});
	}

	return truths[value]!;
}

function set(command: Command, option: Option, {value, origin, isShared}: Setting): void {
	const attribute = option.attributeName();
	if (!takesValue(option)) {
		if (value === true) {
			command.setOptionValueWithSource(attribute, true, 'config');
		}

		return;
	}

	try {
		const text = String(value);
		command.setOptionValueWithSource(attribute, option.parseArg === undefined ? (option.variadic ? [text] : text) : option.parseArg(text, undefined as never), 'config');
	} catch (error) {
		if (!(error instanceof InvalidArgumentError || error instanceof CommanderError)) {
			throw error;
		}

		throw new TestbedError(origin.startsWith('TESTBED_') ? 'USAGE' : 'INPUT', {
			message: `${origin}: ${keyOf(option)} ${String(value)}: ${option.argChoices === undefined ? error.message : `it must be ${anyOf(option.argChoices)}.`}`,
			state: 'Nothing was run.',
			...(isShared && !origin.startsWith('TESTBED_') ? {hint: 'If it is meant for another command only, move it to the section of that command, such as run:'} : {}),
		});
	}
}
