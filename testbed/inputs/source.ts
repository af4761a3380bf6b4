/**
What a rule input names, told by its words alone: a version that stands by itself, and a kind that is misspelt.
*/

import {statSync} from 'node:fs';
import path from 'node:path';
import {nearest} from '../../src/parsing/did-you-mean.js';

/** A rule input by its full name. */
export type NamedSource = {
	readonly source: string;
	/** Says so where a file is taken for what could be a release. */
	readonly notes: readonly string[];
};

/** The kinds of rule inputs that stand in front of a colon. */
const kinds = ['release', 'ambient', 'ambient-host', 'pod', 'file'] as const;

/** What a rule input is: generated rules (`release`, `ambient`, `ambient-host`), a manifest, or a dump in a file or on standard input. */
export type SourceKind = (typeof kinds)[number] | 'stdin';

/** A rule input taken apart. */
export type ParsedSource = {
	readonly kind: SourceKind;
	/** The file that it is read from, `-` for standard input; undefined for rules that are generated. */
	readonly file: string | undefined;
};

/** What a rule input is, by its words alone: the one place that tells. Variables of istio-iptables may come before a release (`INVALID_DROP=true release:1.30`). */
export function parseSource(source: string): ParsedSource {
	const kind = kindOfSource(source);
	return {kind, file: kind === 'release' || kind === 'ambient' || kind === 'ambient-host' ? undefined : source.replace(/^(?:pod|file):/u, '')};
}

/** The word before the colon of a rule input, behind any variables: `release` of `TERM=x release:1.30`. */
export function prefixOf(source: string): string | undefined {
	return /^(?:[A-Za-z_]\w*=\S* +)*(?<prefix>[a-z-]+):/u.exec(source)?.groups?.['prefix'];
}

/** Only the kind of {@link parseSource}. A word that names none is a file. */
export function kindOfSource(source: string): SourceKind {
	if (source === '-') {
		return 'stdin';
	}

	const prefix = prefixOf(source);
	if (prefix === 'release') {
		return prefix;
	}

	// Only a release has variables.
	return kinds.find(kind => kind === prefix && source.startsWith(`${kind}:`)) ?? 'file';
}

/** Whether a rule input is a dump. A dump alone has one family, the other inputs have both. `source` may be a version that stands by itself. */
export function isDump(source: string): boolean {
	return ['file', 'stdin'].includes(kindOfSource(fullSource(source).source));
}

/** A version with nothing in front or behind, so that hardly a misspelt file name is taken for one. */
const version = /^v?\d+\.\d+(?:\.\d+)?$/u;

/** A version alone, `1.31`, is its release, unless a file of the folder has that name. */
export function fullSource(source: string, folder = '.'): NamedSource {
	if (!version.test(source)) {
		return {source, notes: []};
	}

	const entry = statSync(path.resolve(folder, source), {throwIfNoEntry: false});
	return entry === undefined || entry.isDirectory()
		? {source: `release:${source}`, notes: []}
		: {source, notes: [`${source} is read as the file of that name; the release is release:${source}.`]};
}

/** The rule input that a text most likely means which names no file: `release:1.30` for `relase:1.30`, `release=1.30` and `1.30 -x 10.0.0.0/8`. Undefined where nothing is close. */
export function likelySource(text: string): string | undefined {
	const {front = '', rest = ''} = /^(?<front>(?:[A-Za-z_]\w*=\S* +)*)(?<rest>.+)$/su.exec(text)?.groups ?? {};
	if (/^v?\d+\.\d+(?:[.\s-]|$)/u.test(rest)) {
		return `${front}release:${rest}`;
	}

	const {kind = '', value = ''} = /^(?<kind>[A-Za-z-]{3,})\s*[\s:=]\s*(?<value>\S.*)$/su.exec(rest)?.groups ?? {};
	const close = nearest(kind, kinds);
	return value !== '' && close?.isClose === true ? `${front}${close.name}:${value}` : undefined;
}
