/**
Turns commander's errors about a command line into `TestbedError`s with our wording.
*/

import type {Command, Option} from 'commander';
import {closeNames, didYouMean} from '../../src/parsing/did-you-mean.js';
import {quote} from '../../src/report/terminal/shell-quote.js';
import {TestbedError} from '../errors.js';
import {commandLine} from '../system/program-name.js';
import {namesScenario} from '../inputs/scenario-words.js';
import {kindOfSource} from '../inputs/source.js';
import {isRepeatable} from './definitions/repeatable.js';
import {anyOf} from './parsers.js';

/** Words that people may try for a command, and the command that does it here. */
const otherWords: Readonly<Record<string, string>> = {
	version: '--version', record: 'baseline create', verify: 'baseline check', check: 'baseline check', compare: 'diff', explain: 'rules --explain', show: 'rules', test: 'run', batch: 'probe --batch',
};

/** Makes a command throw its errors as `TestbedError`s, and refuse an option that is given twice. `argv` is the whole command line. */
export function useOwnErrors(command: Command, argv: readonly string[]): void {
	command.error = (message: string, {code = ''}: {readonly code?: string} = {}): never => {
		throw usageErrorOf(command, {message, code, argv});
	};

	for (const option of command.options.filter(option => (option.required || option.optional) && !isRepeatable(option))) {
		const given: string[] = [];
		command.on(`option:${option.name()}`, (value: string) => {
			given.push(value);
			if (given.length > 1) {
				throw new TestbedError('USAGE', {message: `${option.long!} is given twice (${given.join(' and ')}), but it takes one value.`, hint: `Remove one of the two${takesList(option) ? `, or write ${option.long!} ${given.join(',')}` : ''}.`});
			}
		});
	}
}

/**
Checks that the first word of a command line is a command, an option or a scenario.

@throws {TestbedError} USAGE for anything else, with a suggestion.
*/
export function refuseUnknownCommand(word: string, program: Command): void {
	if (word.startsWith('-') || namesScenario(word)) {
		return;
	}

	throw unknownCommand(word, program);
}

/** The error for a word that is not a command. */
export function unknownCommand(word: string, program: Command): TestbedError {
	const names = program.commands.map(command => command.name());
	const other = Object.hasOwn(otherWords, word) ? otherWords[word] : undefined;
	const meant = other === undefined ? didYouMean(word, names) : ` Did you mean ${other}?`;
	const isRules = !['file', 'stdin'].includes(kindOfSource(word));
	return new TestbedError('USAGE', {
		message: `There is no command "${word}".${isRules ? '' : meant}`,
		hint: isRules
			? `Pass rules with --rules: ${commandLine(`run --rules ${quote(word)}`)}`
			: `The commands are ${names.join(', ')}. A scenario is a file that ends in .yaml, .yml or .json, or a folder.`,
	});
}

/** The `TestbedError` for an error of commander's. */
function usageErrorOf(command: Command, {message, code, argv}: {readonly message: string; readonly code: string; readonly argv: readonly string[]}): TestbedError {
	const path = pathOf(command);
	const help = `${commandLine(`${path === '' ? '' : `${path} `}--help`)} lists the options.`;
	const name = path === '' ? 'testbed' : path;
	const [, first = ''] = /'([^']*)'/u.exec(message) ?? [];
	switch (code) {
		case 'commander.invalidArgument': {
			return invalidArgument(command, {name, message});
		}

		case 'commander.unknownOption': {
			return unknownOption(command, first, argv.some(word => /^(?:release|ambient):\S+$/u.test(word)) ? 'Put arguments of istio-iptables inside the quotes of the input: \'release:1.30 --redirect-dns\'' : help);
		}

		case 'commander.optionMissingArgument': {
			return new TestbedError('USAGE', {message: `${nameOf(command, first)} needs a value: ${first}.`});
		}

		case 'commander.missingArgument': {
			return new TestbedError('USAGE', {message: `${name} needs an argument: ${command.registeredArguments.find(argument => argument.name() === first)?.description ?? first}.`, hint: help});
		}

		case 'commander.excessArguments': {
			const most = command.registeredArguments.length;
			const extra = command.args.slice(most);
			return new TestbedError('USAGE', {message: `${name} takes ${most === 0 ? 'no argument' : (most === 1 ? 'one argument' : `${most} arguments`)}; ${extra.map(word => `"${word}"`).join(', ')} ${extra.length === 1 ? 'is' : 'are'} too many.`, hint: help});
		}

		case 'commander.unknownCommand': {
			const names = command.commands.map(each => each.name());
			return new TestbedError('USAGE', {message: `${name} has no command "${first}".${didYouMean(first, names)}`, hint: `The commands are ${names.map(each => `${name} ${each}`).join(', ')}.`});
		}

		default: {
			return new TestbedError('USAGE', {message: message.replace(/^error: /u, ''), hint: help});
		}
	}
}

/** An option by its long name, from how commander describes it: `-o, --output <file>`. */
function nameOf(command: Command, flags: string): string {
	return command.options.find(option => option.flags === flags)?.long ?? flags.replace(/ .*$/u, '');
}

/** The value of an option or an argument that its parser or its choices refuse. */
function invalidArgument(command: Command, {name, message}: {readonly name: string; readonly message: string}): TestbedError {
	const [, first = '', second = '', rest = ''] = /'([^']*)'(?: argument '(.*)' is invalid\. (.*))?/su.exec(message) ?? [];
	const argument = command.registeredArguments.find(each => message.includes(`is invalid for argument '${each.name()}'`));
	if (argument?.argChoices !== undefined) {
		return invalidValue(name, first, mustBeOneOf(argument.argChoices, first));
	}

	const option = command.options.find(({flags}) => flags === first);
	return invalidValue(option?.long ?? first, second, option?.argChoices === undefined ? rest : mustBeOneOf(option.argChoices, second));
}

function mustBeOneOf(choices: readonly string[], word: string): string {
	return `it must be ${anyOf(choices)}.${didYouMean(word, choices)}`;
}

function invalidValue(option: string, value: string, reason: string): TestbedError {
	return new TestbedError('USAGE', {message: value === '' ? `${option} is empty (an unset variable?): ${reason}` : `${option} ${value}: ${reason}`});
}

function unknownOption(command: Command, flag: string, hint: string): TestbedError {
	const known = command.options.flatMap(({long}) => long ?? []);
	const name = pathOf(command);
	// If the rules are an argument, `--rules` is not a misspelled option.
	const input = command.registeredArguments.find(argument => ['input', 'inputs'].includes(argument.name()));
	if (flag.replace(/=.*$/u, '') === '--rules' && input !== undefined) {
		const place = {input: 'release:1.30', inputs: 'release:1.30 my.rules'}[input.name()]!;
		return new TestbedError('USAGE', {message: `${name} has no option --rules: the rules are its argument.`, hint: `For example: ${commandLine(`${name}${name === 'baseline check' ? ' baseline.json' : ''} ${place}`)}`});
	}

	const meant = closeNames(flag.replace(/=.*$/u, ''), known);
	return new TestbedError('USAGE', {message: `${name === '' ? 'testbed' : name} has no option ${flag}.${meant.length === 0 ? '' : ` Did you mean ${meant.join(' or ')}?`}`, hint});
}

/** The name of a command with those of its parents, without the program: `baseline check`. */
function pathOf(command: Command): string {
	return command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim();
}

function takesList({flags}: Option): boolean {
	return flags.includes('<list>');
}
