/**
Variables as istio-iptables and the CNI plug-in read them.
*/

import {flags} from '../options/flags.js';
import {InputError} from '../../parsing/input-error.js';
import {readBoolean} from '../options/option-values.js';

/** The names of all variables that istio-iptables reads. */
export function knownVariables(): ReadonlySet<string> {
	return new Set(flags.flatMap(({variables}) => variables.map(({name}) => name)));
}

/** The variables among some that istio-iptables reads. */
export function knownEnvironment(environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
	const names = knownVariables();
	return Object.fromEntries(Object.entries(environment).filter(([name]) => names.has(name)));
}

/** A boolean as the plug-in and the CNI agent read it: an invalid one counts as `otherwise`, with a warning here. */
export function tolerantBoolean(text: string, {name, otherwise, warnings}: {readonly name: string; readonly otherwise: boolean; readonly warnings: string[]}): boolean {
	try {
		return readBoolean(text, name);
	} catch (error) {
		if (error instanceof InputError) {
			warnings.push(`${error.message}; Istio logs that and uses ${String(otherwise)}`);
			return otherwise;
		}

		throw error;
	}
}
