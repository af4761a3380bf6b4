/**
A release and its options as a user writes them: `release:1.30 PROXY_UID=1337 --redirect-dns -x 10.96.0.0/12`.
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

/** The result of an istio-iptables command line: the options, the back end that it writes, and warnings for the user. */
export type SidecarInput = {
	readonly options: SidecarOptions;
	/** The rules are those of the native nftables back end (`--native-nftables`). */
	readonly native: boolean;
	/** Options that the program accepts silently but whose effect was hardly intended, a sentence each. */
	readonly warnings: readonly string[];
};

/** A release with everything that its rules depend on. */
export type ReleaseInput = SidecarInput & {readonly release: Release};

/** A command line of istio-iptables: words, and its environment. Without a release, that of the newest. */
export type SidecarArguments = {readonly argv: readonly string[]; readonly environment?: Readonly<Record<string, string>>; readonly release?: Release};

const assignmentPattern = /^(?<name>[A-Z_a-z]\w*)=(?<value>.*)$/s;
const prefix = 'release:';

/**
Parses `release:VERSION`, assignments and flags, over the arguments of a default injected sidecar. See {@link findRelease} for the versions.

@throws {InputError} for a version that is invalid or too old, and for anything that the program rejects, with the name of the option.
*/
export function parseReleaseInput(text: string): ReleaseInput {
	const {version, argv, environment} = splitInput(text);
	if (version === 'all') {
		throw new InputError('"all" means every release; pass one of them here', 'release');
	}

	return inputOf(findRelease(version), argv, environment);
}

/** The result of a text for every release that is meant; if there are several, those that reject its options are listed separately, with the reason. */
export type ReleaseInputs = {readonly inputs: readonly ReleaseInput[]; readonly refused: ReadonlyArray<{readonly release: Release; readonly reason: string}>};

/**
The same for every release that is meant: `release:all` is each known one, oldest first.

@throws {InputError} if the only release, or each of them, rejects it.
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

/** The options that istio-iptables derives from a command line and its environment. */
export function parseSidecarArguments(given: SidecarArguments): SidecarOptions {
	return readSidecarArguments(given).options;
}

/**
What istio-iptables derives from a command line and its environment: defaults, then the environment, then the flags.

@throws {InputError} for anything that the program rejects, with the name of the option.
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

/** Mark and route table are numbers that matter only under TPROXY. */
function checkWords(given: ReadonlyMap<Flag, Given>, {inboundInterceptionMode}: SidecarOptions): void {
	for (const [{long}, {name, text}] of given) {
		if (inboundInterceptionMode === 'TPROXY' && wordFlags.has(long)) {
			readRequiredWord(text, {name});
		}
	}
}

/** FillConfigFromEnvironment: the default UIDs are that of the proxy's user, the default GIDs are the UIDs. */
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
