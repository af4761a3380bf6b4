/**
Words of a rule without a field, which are passed to iptables unchanged. Each must be an option, or a value, of the module or target that it belongs to, so that it cannot be an option of iptables itself, which may name a program to run or a file to open.
*/

import {RuleSyntaxError, type Word} from '../words.js';
import {
	isOwnOption, knownMatches, knownTargets, valuesOfOption,
} from './extensions.js';
import type {OpenOption, Option, Reader} from './rule-reader.js';

/** Possible names of an extension, listed or not: the name becomes part of a library's file name. */
const namePattern = /^[A-Za-z][\w-]{0,28}$/u;

type Owner = {readonly label: string; readonly options: ReadonlyMap<string, {readonly takesValue: boolean}> | undefined};

/**
Checks an option without a field.

@throws {RuleSyntaxError} if it belongs to none of the preceding modules and targets, or is one of iptables itself.
*/
export function checkOpaqueOption(reader: Reader, {name, inlineValue}: Pick<Option, 'name' | 'inlineValue'>): OpenOption | undefined {
	const owners = ownersOf(reader);
	const found = findOption(owners, name);
	if (found === undefined) {
		// The option is not in the table, so that no rule can open a file.
		if (namesOf(reader).includes('bpf') && name.startsWith('--ob')) {
			throw new RuleSyntaxError(`-m bpf ${name} names a BPF program that is pinned in a file on the machine that the rules come from. It is not part of the rules and does not exist here, and without it nothing can be said about the rule. Remove the rule from the text to see what the others do`);
		}

		const known = owners.every(({options}) => options !== undefined);
		if (known || isOwnOption(name)) {
			throw new RuleSyntaxError(known ? `option ${name} belongs to no preceding module or target: ${owners.map(owner => describe(owner)).join('; ')}` : `option ${name} would be taken for one of iptables itself`);
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
Checks a word that is not an option. `open` is the option that takes it as its value.

@throws {RuleSyntaxError} if iptables would take it for an option, or if the value names an unknown module.
*/
export function checkOpaqueWord({text}: Word, open: OpenOption | undefined): void {
	if (text.startsWith('-') && open?.takesValue !== true) {
		throw new RuleSyntaxError(`the quoted "${text}" is in a place where iptables takes it for an option`);
	}

	if (open !== undefined) {
		checkValue(open, text);
	}
}

/**
Rejects a name that no module or target can have.

@throws {RuleSyntaxError} naming it.
*/
export function checkExtensionName(name: string, flag: '-m' | '-j'): void {
	if (!namePattern.test(name)) {
		throw new RuleSyntaxError(`${flag} "${name}": not a valid name for a ${flag === '-m' ? 'module' : 'target'}`);
	}
}

function checkValue({label}: OpenOption, value: string): void {
	const known = valuesOfOption.get(label);
	if (known !== undefined && !known.has(value)) {
		throw new RuleSyntaxError(`${label} "${value}" names a module that the kernel would load; known are ${[...known].join(', ')}`);
	}
}

/** An exact name has priority; otherwise an abbreviation stands for it, as in getopt_long(3). */
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

function namesOf({modules}: Reader): readonly string[] {
	return modules.map(({name}) => name);
}

function ownersOf({modules, target}: Reader): readonly Owner[] {
	return [
		...modules.filter(({whole}) => whole !== undefined).map(({name}) => ({label: `-m ${name}`, options: knownMatches.get(name)})),
		...(target === undefined ? [] : [{label: `-j ${target.name}`, options: knownTargets.get(target.name)}]),
	];
}

function describe({label, options}: Owner): string {
	const names = [...options?.keys() ?? []];
	return `${label} takes ${names.length === 0 ? 'no options' : names.join(', ')}`;
}
