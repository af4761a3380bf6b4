/**
What a user writes for a release and its options: `release:1.30 PROXY_UID=1337 --redirect-dns -x 10.96.0.0/12`.
*/

import {flags, type Flag} from './flags.js';
import {InputError} from './input-error.js';
import {readBoolean} from './option-values.js';
import {defaultOptions, injectedArguments, type SidecarOptions} from './options.js';
import {findRelease, releaseLines, type Release} from './releases.js';
import {splitShellWords} from './shell-words.js';

/** A release with everything that its rules depend on. */
export type ReleaseInput = {readonly release: Release; readonly options: SidecarOptions};

/** A command line of istio-iptables: words, and the environment it finds. */
export type SidecarArguments = {readonly argv: readonly string[]; readonly environment?: Readonly<Record<string, string>>};

/** The last value given for an option, under the name it was given by. */
type Given = Map<Flag, {readonly name: string; readonly text: string}>;

const assignmentPattern = /^(?<name>[A-Z_a-z]\w*)=(?<value>.*)$/s;
const prefix = 'release:';

/** Reads `release:VERSION`, assignments and flags, over the arguments of a default injected sidecar. */
export function parseReleaseInput(text: string): ReleaseInput {
	const {version, argv, environment} = splitInput(text);
	if (version === 'all') {
		throw new InputError('"all" is more than one release; they are asked one by one', 'release');
	}

	return {release: findRelease(version), options: parseSidecarArguments({argv: [...injectedArguments, ...argv], environment})};
}

/** The same for every release that is meant: `release:all` is each known one, oldest first. */
export function parseReleaseInputs(text: string): readonly ReleaseInput[] {
	const {version, argv, environment} = splitInput(text);
	if (version !== 'all') {
		return [parseReleaseInput(text)];
	}

	const options = parseSidecarArguments({argv: [...injectedArguments, ...argv], environment});
	return releaseLines.map(({name}) => ({release: findRelease(name), options}));
}

function splitInput(text: string): {readonly version: string; readonly argv: readonly string[]; readonly environment: Readonly<Record<string, string>>} {
	const words = splitShellWords(text);
	const at = words.findIndex(word => !assignmentPattern.test(word));
	const version = words[at];
	if (!version?.startsWith(prefix)) {
		throw new InputError(`"${text}" does not begin with ${prefix}VERSION`, 'release');
	}

	const rest = words.slice(at + 1);
	const firstFlag = rest.findIndex(word => !assignmentPattern.test(word));
	const assigned = [...words.slice(0, at), ...(firstFlag === -1 ? rest : rest.slice(0, firstFlag))];
	const environment = Object.fromEntries(assigned.map(word => {
		const {name = '', value = ''} = assignmentPattern.exec(word)?.groups ?? {};
		return [name, value];
	}));
	return {version: version.slice(prefix.length), argv: firstFlag === -1 ? [] : rest.slice(firstFlag), environment};
}

/** The options that istio-iptables makes of a command line and its environment: defaults, then the environment, then the flags. */
export function parseSidecarArguments({argv, environment = {}}: SidecarArguments): SidecarOptions {
	const given: Given = new Map();
	readEnvironment(given, environment);
	readFlags(given, argv);
	const values = [...given].map(([{read}, {name, text}]): Partial<SidecarOptions> => read?.(text, name) ?? {});
	let options = defaultOptions;
	for (const value of values) {
		options = {...options, ...value};
	}

	// FillConfigFromEnvironment: GIDs that nobody gave are the UIDs.
	return values.some(value => value.proxyGids !== undefined) ? options : {...options, proxyGids: options.proxyUids};
}

function readEnvironment(given: Given, environment: Readonly<Record<string, string>>): void {
	const known = new Set(flags.flatMap(flag => flag.environment));
	const unknown = Object.keys(environment).find(name => !known.has(name));
	if (unknown !== undefined) {
		throw new InputError('istio-iptables reads no such environment variable', unknown);
	}

	for (const flag of flags) {
		for (const name of flag.environment) {
			const text = environment[name];
			if (text !== undefined) {
				give(given, flag, {name, text});
			}
		}
	}
}

/** The grammar of pflag: `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`, `--switch`, `--switch=false`. */
function readFlags(given: Given, argv: readonly string[]): void {
	for (let index = 0; index < argv.length; index++) {
		const word = argv[index] ?? '';
		if (!word.startsWith('-') || word === '-' || word === '--') {
			throw new InputError(`"${word}" is no flag; a value stands behind its flag, NAME=value in front of the first one`);
		}

		const {flag, name, inlineValue, cluster} = word.startsWith('--') ? readLong(word) : readShort(word);
		if (flag.isBoolean) {
			give(given, flag, {name, text: inlineValue ?? 'true'});
			if (cluster !== '') {
				// Switches in one word: the rest is read as a word of its own.
				readFlags(given, [`-${cluster}`, ...argv.slice(index + 1)]);
				return;
			}

			continue;
		}

		const text = inlineValue ?? argv[++index];
		if (text === undefined) {
			throw new InputError('a value is missing behind it', name);
		}

		give(given, flag, {name, text});
	}
}

type Named = {readonly flag: Flag; readonly name: string; readonly inlineValue: string | undefined; readonly cluster: string};

function readLong(word: string): Named {
	const [, name = word, inlineValue] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
	const flag = flags.find(candidate => candidate.long === name);
	if (flag === undefined) {
		throw new InputError('istio-iptables has no such flag', name);
	}

	return {
		flag, name, inlineValue, cluster: '',
	};
}

function readShort(word: string): Named {
	const name = word.slice(0, 2);
	const rest = word.slice(2);
	const flag = flags.find(candidate => candidate.short === name);
	if (flag === undefined) {
		throw new InputError('istio-iptables has no such flag', name);
	}

	if (rest.startsWith('=')) {
		return {
			flag, name, inlineValue: rest.slice(1), cluster: '',
		};
	}

	return {
		flag, name, inlineValue: rest === '' || flag.isBoolean ? undefined : rest, cluster: flag.isBoolean ? rest : '',
	};
}

/** Notes a value after it was checked; a later one replaces it. */
function give(given: Given, flag: Flag, value: {readonly name: string; readonly text: string}): void {
	const isOff = flag.isBoolean === true && !readBoolean(value.text, value.name);
	if (flag.refused !== undefined && !isOff) {
		throw new InputError(flag.refused, value.name);
	}

	flag.read?.(value.text, value.name);
	given.set(flag, value);
}
