/**
The environment of istio-iptables. Which of two variables wins, and what an empty one means, changed with the library that reads them.
*/

import {livesIn, type Release} from '../releases.js';
import type {Given} from './command-line.js';
import {flags, type Flag, type Variable} from './flags.js';
import {parseBoolean, type Reading} from './option-values.js';

type Asked = {readonly environment: Readonly<Record<string, string>>; readonly release: Release; readonly warn: Reading['warn']};

/** Records the values of variables. A variable that the release does not read causes a warning. */
export function readVariables(given: Map<Flag, Given>, asked: Asked): void {
	const {environment, release, warn} = asked;
	for (const name of Object.keys(environment)) {
		const known = flags.flatMap(({variables}) => variables).filter(variable => variable.name === name);
		if (!known.some(({life}) => livesIn(release, life))) {
			warn(`${name}: istio-iptables ${release.patch} reads no such environment variable, so it has no effect${known.length === 0 ? '' : '; other releases do'}`);
		}
	}

	for (const flag of flags) {
		for (const variable of inOrder(flag, release)) {
			const text = environment[variable.name];
			const value = text === undefined || !livesIn(release, variable.life) ? undefined : valueOf(flag, variable, {...asked, text});
			if (value !== undefined) {
				given.set(flag, {name: variable.name, text: value, ...(variable.read === undefined ? {} : {read: variable.read})});
			}
		}
	}
}

/** The variables of an option, in ascending order of precedence. Under viper, extra names are defaults, which the flag's own variable overrides. */
function inOrder({variables}: Flag, {features}: Release): readonly Variable[] {
	const own = variables.filter(({kind}) => kind === 'own');
	const extras = variables.filter(({kind}) => kind === 'extra');
	return features.argumentReader === 'viper' ? [...extras, ...own] : [...own, ...extras];
}

/** The effective text, or undefined if the variable has no effect. */
function valueOf(flag: Flag, {name, kind, isOnByAnyText}: Variable, {release, warn, text}: Asked & {readonly text: string}): string | undefined {
	const isViper = release.features.argumentReader === 'viper';
	if (isOnByAnyText === true) {
		return text === '' ? undefined : 'true';
	}

	if (text === '' && isViper) {
		warn(`${name}: istio-iptables ${release.patch} treats an empty environment variable as unset`);
		return undefined;
	}

	if (flag.isBoolean !== true) {
		return text;
	}

	const value = parseBoolean(text);
	if (value === undefined) {
		// Viper converts what it cannot parse to false; otherwise the variable is ignored. Neither prints a message.
		const isFalse = isViper && kind === 'own';
		warn(`${name}: "${text}" is neither true nor false; istio-iptables ${release.patch} ${isFalse ? 'treats it as false' : 'ignores it'}`);
		return isFalse ? 'false' : undefined;
	}

	return String(value);
}
