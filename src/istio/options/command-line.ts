/**
The arguments of `istio-iptables`, by the grammar of pflag: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`, `--switch`, `--switch=false`. Error messages are the program's own.
*/

import {InputError} from '../../parsing/input-error.js';
import {livesIn, type Release} from '../releases.js';
import {flags, type Flag, type Variable} from './flags.js';
import {parseBoolean, type Reading} from './option-values.js';

/** The effective value of an option, with the name by which it was given. A switch's text is `true` or `false`. */
export type Given = {readonly name: string; readonly text: string; readonly read?: NonNullable<Variable['read']>};

type Asked = {readonly argv: readonly string[]; readonly release: Release; readonly warn: Reading['warn']};

/**
Records the values of flags, overriding earlier ones.

@throws {InputError} for a flag that the release does not know, a missing value, or a switch that is neither true nor false.
*/
export function readCommandLine(given: Map<Flag, Given>, {argv, release, warn}: Asked): void {
	for (let index = 0; index < argv.length; index++) {
		const word = argv[index] ?? '';
		if (word === '--') {
			warnOfStrays(argv.slice(index + 1), warn);
			return;
		}

		if (!word.startsWith('-') || word === '-') {
			warnOfStrays([word], warn);
			continue;
		}

		const {flag, name, inlineValue, cluster} = word.startsWith('--') ? readLong(word, release) : readShort(word, release);
		if (flag.isBoolean === true) {
			given.set(flag, {name, text: readSwitch(inlineValue ?? 'true', name)});
			if (cluster !== '') {
				// Switches in one word: the rest is parsed as a word of its own.
				readCommandLine(given, {argv: [`-${cluster}`, ...argv.slice(index + 1)], release, warn});
				return;
			}

			continue;
		}

		const text = inlineValue ?? argv[++index];
		if (text === undefined) {
			throw new InputError(name.startsWith('--') ? `flag needs an argument: ${name}` : `flag needs an argument: '${name.slice(1)}' in ${name}`, name);
		}

		given.set(flag, {name, text});
	}
}

function warnOfStrays(words: readonly string[], warn: Reading['warn']): void {
	for (const word of words) {
		warn(`"${word}" is neither a flag nor the value of one, so istio-iptables ignores it; a value comes after its flag, NAME=value before the first flag`);
	}
}

function readSwitch(text: string, name: string): string {
	const value = parseBoolean(text);
	if (value === undefined) {
		throw new InputError(`"${text}" is neither true nor false`, name);
	}

	return String(value);
}

type Named = {readonly flag: Flag; readonly name: string; readonly inlineValue: string | undefined; readonly cluster: string};

function readLong(word: string, release: Release): Named {
	const [, name = word, inlineValue] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
	const candidate = flags.find(({long}) => long === name);
	if (candidate === undefined || !livesIn(release, candidate.life)) {
		throw new InputError(`unknown flag: ${name}${candidate === undefined ? '' : `; istio-iptables ${release.patch} does not know it, other releases do`}`, name);
	}

	return {
		flag: candidate, name, inlineValue, cluster: '',
	};
}

function readShort(word: string, release: Release): Named {
	const name = word.slice(0, 2);
	const rest = word.slice(2);
	const candidate = flags.find(({short}) => short === name);
	if (candidate === undefined || !livesIn(release, candidate.life) || !livesIn(release, candidate.shortLife)) {
		throw new InputError(`unknown shorthand flag: '${name.slice(1)}' in ${word}${candidate === undefined ? '' : `; istio-iptables ${release.patch} does not know it, other releases do`}`, name);
	}

	if (rest.startsWith('=')) {
		return {
			flag: candidate, name, inlineValue: rest.slice(1), cluster: '',
		};
	}

	const isSwitch = candidate.isBoolean === true;
	return {
		flag: candidate, name, inlineValue: rest === '' || isSwitch ? undefined : rest, cluster: isSwitch ? rest : '',
	};
}
