/**
Pods whose init container writes the rules: its command line and environment determine them.
*/

import {InputError} from '../../parsing/input-error.js';
import type {Text} from '../../parsing/document.js';
import {knownVariables} from './environment.js';
import {nameOfImage} from './image.js';
import type {Container, Pod} from './pod.js';

/** A command line of istio-iptables with its environment. */
export type CommandLine = {readonly argv: readonly string[]; readonly environment: Readonly<Record<string, string>>};

const program = 'istio-iptables';

/** The logging flags of every Istio program (pkg/log, `AttachCobraFlags`), which do not affect the rules. Those with a value may have it in the next word. */
const logFlags: ReadonlyMap<string, {readonly hasValue: boolean}> = new Map([
	['--log_as_json', {hasValue: false}],
	['--log_caller', {hasValue: true}],
	['--log_output_level', {hasValue: true}],
	['--log_rotate', {hasValue: true}],
	['--log_rotate_max_age', {hasValue: true}],
	['--log_rotate_max_backups', {hasValue: true}],
	['--log_rotate_max_size', {hasValue: true}],
	['--log_stacktrace_level', {hasValue: true}],
	['--log_target', {hasValue: true}],
	['--vklog', {hasValue: true}],
]);

/** The init container that runs istio-iptables: by its name, or by what it runs. */
export function findInitContainer({initContainers}: Pod): Container | undefined {
	return initContainers.find(({name}) => name === 'istio-init' || name === 'istio-validation')
		?? initContainers.find(container => container.image !== undefined && nameOfImage(container.image).startsWith('proxyv2') && programAt(container.words) !== -1);
}

/** Whether it only checks that the CNI plug-in has written rules. */
export function isValidation(container: Container): boolean {
	return container.name === 'istio-validation' || container.words.some(({value}) => value === '--skip-rule-apply' || value === '--skip-rule-apply=true');
}

/**
The command line of an init container, and the part of its environment that istio-iptables reads.

@throws {InputError} if it runs something else.
*/
export function commandLineOf(container: Container, warnings: string[]): CommandLine {
	const at = programAt(container.words);
	const [first] = container.words;
	// The image of 1.4 and earlier ran the program itself.
	if (at === -1 && first !== undefined && !first.value.startsWith('-')) {
		throw new InputError(`the container ${container.name} runs "${first.value}", not ${program}`, first.at);
	}

	return {
		argv: withoutLogFlags(container.words.slice(at + 1).map(word => expand(word, container))),
		environment: environmentOf(container, warnings),
	};
}

/** The variables of a container that istio-iptables reads. Those defined outside of the manifest cause a warning. */
export function environmentOf(container: Container, warnings: string[]): Readonly<Record<string, string>> {
	if (container.environmentFrom !== undefined) {
		warnings.push(`${container.environmentFrom}: variables from there are not in the manifest, so their values are not known`);
	}

	const names = knownVariables();
	return Object.fromEntries([...container.environment].filter(([name]) => names.has(name)).flatMap(([name, {value, at}]) => {
		if (value === undefined) {
			warnings.push(`${at}: the value of ${name} comes from elsewhere (valueFrom) and is not in the manifest; it is treated as not set`);
			return [];
		}

		return [[name, value]];
	}));
}

function programAt(words: readonly Text[]): number {
	return words.findIndex(({value}) => value.split('/').at(-1) === program);
}

/** `$(NAME)` in a word is the variable's value, `$$(` a literal `$(`, and an unknown name stays unchanged (Kubernetes API, Container, `args`). */
function expand({value}: Text, {environment}: Container): string {
	return value.replaceAll(/\$\$|\$\((?<name>[\w.-]+)\)/gu, (whole, name?: string) => name === undefined ? '$' : environment.get(name)?.value ?? whole);
}

function withoutLogFlags(argv: readonly string[]): readonly string[] {
	const kept: string[] = [];
	for (let index = 0; index < argv.length; index++) {
		const word = argv[index] ?? '';
		const flag = logFlags.get(word.split('=')[0] ?? '');
		if (flag === undefined) {
			kept.push(word);
		} else if (flag.hasValue && !word.includes('=')) {
			index++;
		}
	}

	return kept;
}
