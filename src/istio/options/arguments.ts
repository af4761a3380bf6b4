/**
What a user writes for a release and its options: `release:1.30 PROXY_UID=1337 --redirect-dns -x 10.96.0.0/12`.
*/

import {InputError} from '../../parsing/input-error.js';
import {
	findRelease, newestRelease, releaseLines, type Release,
} from '../releases.js';
import {splitShellWords} from '../../parsing/shell-words.js';
import {readCommandLine, type Given} from './command-line.js';
import {wordFlags, type Flag} from './flags.js';
import {optionWarnings} from './option-warnings.js';
import {readProxyUser, readRequiredWord, type Reading} from './option-values.js';
import {defaultOptions, injectedArgumentsOf, type SidecarOptions} from './options.js';
import {readVariables} from './variables.js';

/** What a command line of istio-iptables comes to: the options, which back end it writes, and what a user should know of it. */
export type SidecarInput = {
	readonly options: SidecarOptions;
	/** The rules are those of the native nftables back end (`--native-nftables`). */
	readonly native: boolean;
	/** What the program takes without a word and does something with that was hardly meant, a sentence each. */
	readonly warnings: readonly string[];
};

/** A release with everything that its rules depend on. */
export type ReleaseInput = SidecarInput & {readonly release: Release};

/** A command line of istio-iptables: words, and the environment it finds. Without a release it is that of the newest. */
export type SidecarArguments = {readonly argv: readonly string[]; readonly environment?: Readonly<Record<string, string>>; readonly release?: Release};

const assignmentPattern = /^(?<name>[A-Z_a-z]\w*)=(?<value>.*)$/s;
const prefix = 'release:';

/**
Reads `release:VERSION`, assignments and flags, over the arguments of a default injected sidecar. {@link findRelease} says what a version can be.

@throws {InputError} for a version that is none or too old, and for what the program refuses, with the name of the option.
*/
export function parseReleaseInput(text: string): ReleaseInput {
	const {version, argv, environment} = splitInput(text);
	if (version === 'all') {
		throw new InputError('"all" is more than one release; they are asked one by one', 'release');
	}

	return inputOf(findRelease(version), argv, environment);
}

/** What a text comes to for every release that is meant; of several, those that refuse its options stand apart, with the reason. */
export type ReleaseInputs = {readonly inputs: readonly ReleaseInput[]; readonly refused: ReadonlyArray<{readonly release: Release; readonly reason: string}>};

/**
The same for every release that is meant: `release:all` is each known one, oldest first.

@throws {InputError} when the only release, or each of them, refuses it.
*/
export function parseReleaseInputs(text: string): ReleaseInputs {
	const {version, argv, environment} = splitInput(text);
	if (version !== 'all') {
		return {inputs: [inputOf(findRelease(version), argv, environment)], refused: []};
	}

	const inputs: ReleaseInput[] = [];
	const refused: Array<{release: Release; error: InputError}> = [];
	for (const {name} of releaseLines) {
		const release = findRelease(name);
		try {
			inputs.push(inputOf(release, argv, environment));
		} catch (error) {
			if (!(error instanceof InputError)) {
				throw error;
			}

			refused.push({release, error});
		}
	}

	if (inputs.length === 0) {
		throw refused.at(-1)!.error;
	}

	return {inputs, refused: refused.map(({release, error}) => ({release, reason: error.message}))};
}

function inputOf(release: Release, argv: readonly string[], environment: Readonly<Record<string, string>>): ReleaseInput {
	return {release, ...readSidecarArguments({argv: [...injectedArgumentsOf(release), ...argv], environment, release})};
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

/** The options that istio-iptables makes of a command line and its environment. */
export function parseSidecarArguments(given: SidecarArguments): SidecarOptions {
	return readSidecarArguments(given).options;
}

/**
What istio-iptables makes of a command line and its environment: defaults, then the environment, then the flags.

@throws {InputError} for what the program refuses, with the name of the option.
*/
export function readSidecarArguments({argv, environment = {}, release = newestRelease}: SidecarArguments): SidecarInput {
	const warnings: string[] = [];
	const warn = (message: string): void => {
		warnings.push(message);
	};

	const given = new Map<Flag, Given>();
	readVariables(given, {environment, release, warn});
	readCommandLine(given, {argv, release, warn});
	let options = defaultOptions;
	let native = false;
	for (const [flag, {name, text, read = flag.read}] of given) {
		if (flag.refused !== undefined && text !== 'false') {
			throw new InputError(flag.refused, name);
		}

		options = {...options, ...read?.(text, {name, release, warn})};
		native ||= flag.long === '--native-nftables' && text === 'true';
	}

	checkWords(given, options);
	options = fill(options, {given, reading: {name: 'ENVOY_USER', release, warn}});
	warnings.push(...optionWarnings(options, {native, release}));
	return {options, native, warnings};
}

/** Mark and route table are numbers that count under TPROXY only. */
function checkWords(given: ReadonlyMap<Flag, Given>, {inboundInterceptionMode}: SidecarOptions): void {
	for (const [{long}, {name, text}] of given) {
		if (inboundInterceptionMode === 'TPROXY' && wordFlags.has(long)) {
			readRequiredWord(text, {name});
		}
	}
}

/** FillConfigFromEnvironment: UIDs that nobody gave are the one of the proxy's user, GIDs the UIDs. */
function fill(options: SidecarOptions, {given, reading}: {readonly given: ReadonlyMap<Flag, Given>; readonly reading: Reading}): SidecarOptions {
	const isGiven = (long: string): boolean => [...given].some(([flag, {text}]) => flag.long === long && text !== '');
	const user = [...given].find(([{variables}]) => variables.some(({name}) => name === reading.name))?.[1].text;
	let {proxyUids} = options;
	if (!isGiven('--proxy-uid')) {
		const uids = user === undefined ? proxyUids : [readProxyUser(user, reading) ?? proxyUids[0] ?? 0];
		proxyUids = reading.release.features.filledUidHasRoot ? [...uids, 0] : uids;
	}

	return {...options, proxyUids, proxyGids: isGiven('--proxy-gid') ? options.proxyGids : proxyUids};
}
