/**
Parses the name of a rule input, including a bare version and a misspelled kind.
*/

import {statSync} from 'node:fs';
import path from 'node:path';
import {closestName} from '../../src/parsing/did-you-mean.js';
import {
	liveKinds, nodeKinds, type LiveKind, type NodeKind,
} from '../live/live-pod.js';

/** A rule input with its full name. */
export type NamedSource = {
	readonly source: string;
	/** A note if a file was used for what could be a release. */
	readonly notes: readonly string[];
};

/** The kinds of rule inputs that are written before a colon. */
const kinds = ['release', 'ambient', 'ambient-host', 'pod', 'file', ...liveKinds] as const;

/** What a rule input is: generated rules (`release`, `ambient`, `ambient-host`), a manifest, a dump in a file or on standard input, or rules of a live pod (`netns`, `pid`, `container`, `kubectl`). */
export type SourceKind = (typeof kinds)[number] | 'stdin';

/** A parsed rule input. */
export type ParsedSource = {
	readonly kind: SourceKind;
	/** The file to read, `-` for standard input; undefined for generated rules and live pods. */
	readonly file: string | undefined;
};

/** Parses a rule input by its text alone; the only place that does. Variables of istio-iptables may precede a release (`INVALID_DROP=true release:1.30`). */
export function parseSource(source: string): ParsedSource {
	const kind = kindOfSource(source);
	return {kind, file: kind === 'release' || kind === 'ambient' || kind === 'ambient-host' || liveNameOf(source) !== undefined ? undefined : source.replace(/^(?:pod|file):/u, '')};
}

/** The kind and the name of a live pod, `pid` and `4711` of `pid:4711`; undefined for all other inputs. */
export function liveNameOf(source: string): {readonly kind: LiveKind; readonly name: string} | undefined {
	const kind = liveKinds.find(each => each === kindOfSource(source));
	return kind === undefined ? undefined : {kind, name: source.slice(kind.length + 1)};
}

/** The same for a live pod of this machine. */
export function nodeNameOf(source: string): {readonly kind: NodeKind; readonly name: string} | undefined {
	const named = liveNameOf(source);
	const kind = nodeKinds.find(each => each === named?.kind);
	return kind === undefined ? undefined : {kind, name: named!.name};
}

/** The word before the colon of a rule input, after any variables: `release` of `TERM=x release:1.30`. */
export function prefixOf(source: string): string | undefined {
	return /^(?:[A-Za-z_]\w*=\S* +)*(?<prefix>[a-z-]+):/u.exec(source)?.groups?.['prefix'];
}

/** The kind of a rule input, as in {@link parseSource}. Anything without a known kind is a file. */
export function kindOfSource(source: string): SourceKind {
	if (source === '-') {
		return 'stdin';
	}

	const prefix = prefixOf(source);
	if (prefix === 'release') {
		return prefix;
	}

	// Only releases take variables.
	return kinds.find(kind => kind === prefix && source.startsWith(`${kind}:`)) ?? 'file';
}

/** Whether a rule input is a dump. A single dump covers one family, all other inputs cover both. `source` may be a bare version. */
export function isDump(source: string): boolean {
	return ['file', 'stdin'].includes(kindOfSource(fullSource(source).source));
}

/** A version with nothing before or after it, so that misspelled file names are rarely mistaken for one. */
const version = /^v?\d+\.\d+(?:\.\d+)?$/u;

/** Expands a bare version, `1.31`, to its release, unless a file in the folder has that name. */
export function fullSource(source: string, folder = '.'): NamedSource {
	if (!version.test(source)) {
		return {source, notes: []};
	}

	const entry = statSync(path.resolve(folder, source), {throwIfNoEntry: false});
	return entry === undefined || entry.isDirectory()
		? {source: `release:${source}`, notes: []}
		: {source, notes: [`${source} was read as the file of that name; for the release, write release:${source}.`]};
}

/** The rule input that a text which names no file most likely means: `release:1.30` for `relase:1.30`, `release=1.30` and `1.30 -x 10.0.0.0/8`. Undefined if nothing is close. */
export function likelySource(text: string): string | undefined {
	const {front = '', rest = ''} = /^(?<front>(?:[A-Za-z_]\w*=\S* +)*)(?<rest>.+)$/su.exec(text)?.groups ?? {};
	if (/^v?\d+\.\d+(?:[.\s-]|$)/u.test(rest)) {
		return `${front}release:${rest}`;
	}

	const {kind = '', value = ''} = /^(?<kind>[A-Za-z-]{3,})\s*[\s:=]\s*(?<value>\S.*)$/su.exec(rest)?.groups ?? {};
	const close = closestName(kind, kinds);
	return value !== '' && close !== undefined ? `${front}${close}:${value}` : undefined;
}
