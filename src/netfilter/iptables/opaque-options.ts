/**
Words of a rule that no field takes, and that iptables gets as they are: each must be an option, or a value, of the module or target that it belongs to. So no such word can be an option of iptables itself, which may name a program to run or a file to open.
*/

import {RuleSyntaxError, type Word} from '../words.js';
import {
	isOwnOption, knownMatches, knownTargets, valuesOfOption,
} from './extensions.js';
import type {OpenOption, Option, Reader} from './rule-reader.js';

/** What an extension can be called, listed or not: it becomes part of a library's file name. */
const namePattern = /^[A-Za-z][\w-]{0,28}$/u;

type Owner = {readonly label: string; readonly options: ReadonlyMap<string, {readonly takesValue: boolean}> | undefined};

/**
Checks an option that no field takes.

@throws {RuleSyntaxError} when it is none of the modules and targets in sight, or of iptables itself.
*/
export function checkOpaqueOption(reader: Reader, {name, inlineValue}: Pick<Option, 'name' | 'inlineValue'>): OpenOption | undefined {
	const owners = ownersOf(reader);
	const found = findOption(owners, name);
	if (found === undefined) {
		const known = owners.every(({options}) => options !== undefined);
		if (known || isOwnOption(name)) {
			throw new RuleSyntaxError(known ? `option ${name} belongs to no module or target in sight: ${owners.map(owner => describe(owner)).join('; ')}` : `option ${name} would be taken for one of iptables itself`);
		}

		return inlineValue === undefined ? {label: name, takesValue: false} : undefined;
	}

	if (inlineValue === undefined) {
		return found;
	}

	checkValue(found, inlineValue);
	return undefined;
}

/**
Checks a word that is no option: `open` is the option that it is the value of.

@throws {RuleSyntaxError} when iptables would take it for an option, or the value names a module that is not known.
*/
export function checkOpaqueWord({text}: Word, open: OpenOption | undefined): void {
	if (text.startsWith('-') && open?.takesValue !== true) {
		throw new RuleSyntaxError(`"${text}" in quotes stands where iptables takes it for an option`);
	}

	if (open !== undefined) {
		checkValue(open, text);
	}
}

/**
Refuses a name that cannot be the one of a module or a target.

@throws {RuleSyntaxError} naming it.
*/
export function checkExtensionName(name: string, flag: '-m' | '-j'): void {
	if (!namePattern.test(name)) {
		throw new RuleSyntaxError(`${flag} "${name}": no ${flag === '-m' ? 'module' : 'target'} has such a name`);
	}
}

function checkValue({label}: OpenOption, value: string): void {
	const known = valuesOfOption.get(label);
	if (known !== undefined && !known.has(value)) {
		throw new RuleSyntaxError(`${label} "${value}" names a module that the kernel would load; known are ${[...known].join(', ')}`);
	}
}

/** An exact name comes first; otherwise the beginning of a name stands for it, as getopt_long(3) does. */
function findOption(owners: readonly Owner[], name: string): OpenOption | undefined {
	if (name.length <= 2) {
		return undefined;
	}

	const entries = owners.flatMap(({label, options}) => [...options ?? []].map(([option, {takesValue}]) => ({option, label: `${label} ${option}`, takesValue})));
	const exact = entries.find(({option}) => option === name);
	const begun = entries.filter(({option}) => option.startsWith(name));
	const found = exact ?? (begun.every(({takesValue}) => takesValue === begun[0]?.takesValue) ? begun[0] : undefined);
	return found === undefined ? undefined : {label: found.label, takesValue: found.takesValue};
}

function ownersOf({modules, target}: Reader): readonly Owner[] {
	return [
		...modules.filter(({whole}) => whole !== undefined).map(({name}) => ({label: `-m ${name}`, options: knownMatches.get(name)})),
		...(target === undefined ? [] : [{label: `-j ${target.name}`, options: knownTargets.get(target.name)}]),
	];
}

function describe({label, options}: Owner): string {
	const names = [...options?.keys() ?? []];
	return `${label} takes ${names.length === 0 ? 'none' : names.join(', ')}`;
}
