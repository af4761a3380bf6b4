/**
How the rules changed from release to release, as data. The generator uses features and never compares numbers; to add a release, add a row.

Sources: istio/istio at the release tags (`tools/istio-iptables`), its change notes, and runs of the real binaries (test/fixtures/istio-real).
*/

import {InputError} from '../parsing/input-error.js';
import {closestName} from '../parsing/did-you-mean.js';

/** How DNS capture is written. */
export type DnsStyle =
	/** 1.5: not at all. */
	| 'none'
	/** 1.6: UDP to Envoy's own DNS port, except for the proxy's group. */
	| 'to-proxy'
	/** 1.7: UDP by DNAT, with SNAT so that answers return; to the agent or to Envoy. */
	| 'translated'
	/** 1.8: the same, to the agent only, and TCP before ISTIO_REDIRECT. */
	| 'translated-with-tcp'
	/** 1.9: queries to the servers of resolv.conf; UDP rules are in OUTPUT. */
	| 'in-output'
	/** 1.23: UDP rules are at the end of ISTIO_OUTPUT, to which UDP jumps. */
	| 'in-istio-output'
	/** 1.25: chains of their own; without a known server, DNS is not captured at all. */
	| 'in-own-chain';

/** What the rules of a release do. Each feature names the release that introduced it. */
export type ReleaseFeatures = {
	/** Since 1.25.0: `OUTPUT -j ISTIO_OUTPUT` for all protocols; before, `-p tcp`. */
	readonly outputJumpAllProtocols: boolean;
	/** Since 1.25.0: an excluded outbound port is excluded for UDP too. */
	readonly udpOutboundExclude: boolean;
	/** Since 1.24.0: invalid packets go to a chain ISTIO_DROP; before, `-j DROP`. */
	readonly invalidDropChain: boolean;
	/** Since 1.18.0: the hairpin rules exclude the tunnel port. */
	readonly hairpinExceptsTunnelPort: boolean;
	/** Since 1.7.0: the tunnel port is never captured inbound. */
	readonly tunnelPort: boolean;
	/** Until 1.12: port 22 is not captured even if all inbound ports are. */
	readonly sshExcluded: boolean;
	/** Until 1.22: a list of included ranges ends with a bare RETURN. */
	readonly rangesEndWithReturn: boolean;
	/** 1.5: with a list of inbound ports, captured connections go to the outbound listener's port. */
	readonly listedPortsGoToProxyPort: boolean;
	/** Since 1.6.0: if a loopback range is included, the rules for lo are left out. */
	readonly loopbackCanBeIncluded: boolean;
	readonly dns: DnsStyle;
	/** Whether raw rules keep queries in two conntrack zones: since 1.10.3 if requested by a variable, since 1.11.0 always. */
	readonly dnsZones: 'never' | 'asked' | 'always';
	/** Since 1.20.0: a server's answers are recognized by their source; before, by mistake, by their destination. */
	readonly dnsAnswersBySource: boolean;
	/** Since 1.12.0: one code writes both families; before, IPv6 had rules of its own, without DNS and TPROXY. */
	readonly ipv6IsLikeIpv4: boolean;
	/** Since 1.10.2: included outbound ports in IPv6 too (istio/istio issue 30868). */
	readonly ipv6OutboundPorts: boolean;
	/** Since 1.8.0: traffic from a virtual interface is not treated as inbound in IPv6 either. */
	readonly ipv6VirtualInterfaces: boolean;
	/** What accompanies the inbound rules under TPROXY: until 1.8 a mark on the loopback's own traffic, since 1.9.0 connection marks, since 1.11.0 also marks of the proxy's hairpin. */
	readonly tproxyMarks: 'loopback' | 'connection' | 'hairpin';
	/** Since 1.9.0: TPROXY delivers to the inbound listener; before, to the outbound listener's port. */
	readonly tproxyToCapturePort: boolean;
	/** Since 1.6.0: established connections are recognized by conntrack; before, by their socket. */
	readonly tproxyByConntrack: boolean;
	/** How values are parsed: with `viper`, flags override variables and an empty variable counts as unset; with `flags`, each variable is parsed like its flag. */
	readonly argumentReader: 'viper' | 'flags';
	/** Since 1.27.0: an invalid range is rejected; before, it was skipped with a message on stderr. */
	readonly badRangeIsRefused: boolean;
	/** Until 1.7: the default proxy UIDs are that of the proxy's user and 0. */
	readonly filledUidHasRoot: boolean;
	/** Since 1.27.0: the native nftables back end. */
	readonly nativeNftables: boolean;
	/** Since 1.28.0: native nft rules have a counter. */
	readonly nftCounters: boolean;
	/** 1.27.0 to 1.27.3 and 1.28.0: under TPROXY without inbound ports, the native back end inserts rules into an empty chain, and nft rejects them (istio/istio issue 58135; pull requests 58175 and 58234 of November 2025). */
	readonly nftTproxyNeedsPorts: boolean;
	/** What the injection template excludes inbound. */
	readonly injectedPortsExclude: string;
};

/** A value with the releases in which it changed, oldest first. */
type Timeline<Value> = readonly [first: Value, ...changes: ReadonlyArray<readonly [since: string, value: Value]>];

const timelines: {readonly [Name in keyof ReleaseFeatures]: Timeline<ReleaseFeatures[Name]>} = {
	outputJumpAllProtocols: [false, ['1.25.0', true]],
	udpOutboundExclude: [false, ['1.25.0', true]],
	invalidDropChain: [false, ['1.24.0', true]],
	hairpinExceptsTunnelPort: [false, ['1.18.0', true]],
	tunnelPort: [false, ['1.7.0', true]],
	sshExcluded: [true, ['1.13.0', false]],
	rangesEndWithReturn: [true, ['1.23.0', false]],
	listedPortsGoToProxyPort: [true, ['1.6.0', false]],
	loopbackCanBeIncluded: [false, ['1.6.0', true]],
	dns: [
		'none',
		['1.6.0', 'to-proxy'],
		['1.7.0', 'translated'],
		['1.8.0', 'translated-with-tcp'],
		['1.9.0', 'in-output'],
		['1.23.0', 'in-istio-output'],
		['1.25.0', 'in-own-chain'],
	],
	dnsZones: ['never', ['1.10.3', 'asked'], ['1.11.0', 'always']],
	dnsAnswersBySource: [false, ['1.20.0', true]],
	ipv6IsLikeIpv4: [false, ['1.12.0', true]],
	ipv6OutboundPorts: [false, ['1.10.2', true]],
	ipv6VirtualInterfaces: [false, ['1.8.0', true]],
	tproxyMarks: ['loopback', ['1.9.0', 'connection'], ['1.11.0', 'hairpin']],
	tproxyToCapturePort: [false, ['1.9.0', true]],
	tproxyByConntrack: [false, ['1.6.0', true]],
	argumentReader: ['viper', ['1.19.5', 'flags'], ['1.20.0', 'viper'], ['1.20.1', 'flags']],
	badRangeIsRefused: [false, ['1.27.0', true]],
	filledUidHasRoot: [true, ['1.8.0', false]],
	nativeNftables: [false, ['1.27.0', true]],
	nftCounters: [false, ['1.28.0', true]],
	nftTproxyNeedsPorts: [false, ['1.27.0', true], ['1.27.4', false], ['1.28.0', true], ['1.28.1', false]],
	injectedPortsExclude: ['15090,15020', ['1.6.0', '15090,15021,15020']],
};

/** One release line, `1.30`. */
export type ReleaseLine = {
	readonly name: string;
	/** `measured`: the rules equal those of the real binary; `derived`: based on the sources and the adjacent lines. */
	readonly basis: 'measured' | 'derived';
	/** The default patch release of the line, which was measured if the line was. */
	readonly newestPatch: string;
	readonly features: ReleaseFeatures;
	readonly source: string;
};

/** A release for which rules are generated: its line, with the features of a patch release. */
export type Release = ReleaseLine & {
	/** The known release whose rules these are, as it was requested: a line, `1.30`, or a patch release, `1.30.3`. */
	readonly asked: string;
	readonly patch: string;
	/** If the requested release is not known, in general because it is newer than any known one, a sentence that says so, and whose rules are used instead. */
	readonly note: string | undefined;
};

/** A known line: the newest patch release (the last tag of the line; for the newest lines, the last one that was run), whether its binary was run, and which one if the version alone does not say. */
type Row = readonly [newestPatch: string, basis: ReleaseLine['basis'], program?: string];

const rows: readonly Row[] = [
	['1.5.10', 'derived'],
	['1.6.14', 'derived'],
	['1.7.8', 'derived'],
	['1.8.6', 'derived'],
	['1.9.9', 'derived'],
	['1.10.6', 'measured'],
	['1.11.8', 'measured'],
	['1.12.9', 'measured'],
	['1.13.9', 'derived'],
	['1.14.6', 'derived'],
	['1.15.7', 'measured'],
	['1.16.7', 'measured'],
	['1.17.8', 'derived'],
	['1.18.7', 'measured'],
	['1.19.10', 'measured'],
	['1.20.8', 'measured'],
	['1.21.6', 'measured'],
	['1.22.8', 'measured'],
	['1.23.6', 'measured'],
	['1.24.6', 'measured'],
	['1.25.5', 'measured'],
	['1.26.8', 'measured'],
	['1.27.9', 'measured'],
	['1.28.10', 'measured'],
	['1.29.6', 'measured'],
	['1.30.3', 'measured'],
	['1.31.0', 'measured', 'of August 2026, whose VERSION file says 1.31'],
];

/** Every change of every feature in the order of the releases. */
const changes = Object.entries(timelines)
	.flatMap(([name, [, ...later]]) => later.map(([since, value]) => ({name, since, value})))
	.toSorted((one, other) => compareVersions(one.since, other.since));

const firstFeatures = Object.fromEntries(Object.entries(timelines).map(([name, [first]]) => [name, first])) as unknown as ReleaseFeatures;

function featuresOf(version: string): ReleaseFeatures {
	const later = changes.filter(({since}) => compareVersions(since, version) <= 0).map(({name, value}) => [name, value] as const);
	return {...firstFeatures, ...Object.fromEntries(later)};
}

/** The releases in which a feature has a value: from the first one (null: older than any known one) until another one, exclusive (null: the newest known one has it). A value that occurs twice includes everything between. */
export function releasesWith<Name extends keyof ReleaseFeatures>(name: Name, value: ReleaseFeatures[Name]): {readonly since: string | null; readonly before: string | null} {
	const [first, ...later] = timelines[name] as Timeline<ReleaseFeatures[Name]>;
	const turns: ReadonlyArray<readonly [string | null, ReleaseFeatures[Name]]> = [[null, first], ...later];
	return {
		since: turns.find(([, own]) => own === value)?.[0] ?? null,
		before: turns[turns.findLastIndex(([, own]) => own === value) + 1]?.[0] ?? null,
	};
}

function lineOf(version: string): string {
	return version.slice(0, version.lastIndexOf('.'));
}

/** The known release lines, oldest first. */
export const releaseLines: readonly ReleaseLine[] = rows.map(([newestPatch, basis, program = newestPatch]) => ({
	name: lineOf(newestPatch),
	basis,
	newestPatch,
	features: featuresOf(newestPatch),
	source: basis === 'measured'
		? `istio/istio ${newestPatch}; the rules equal those of the real istio-iptables ${program} (test/fixtures/istio-real)`
		: `istio/istio ${newestPatch}, read and not run`,
}));

/** The newest known release. */
export const newestRelease: Release = newest();

/** The word for the newest known release. */
const newestWord = 'latest';

/**
Finds the release for a version: `1.30` (its newest patch release), `1.30.3`, `v1.30.3-distroless`, or `latest`. Changes within a line are known by patch number. A version that is not known gets the rules of the nearest known one before it, with a note: in general the newest.

@throws {InputError} for an invalid version, and for a release older than the oldest one known; it names the nearest.
*/
export function findRelease(text: string): Release {
	if (text === newestWord) {
		return newestRelease;
	}

	const version = parseVersion(text);
	if (version === undefined) {
		throw new InputError(noVersion(text));
	}

	const {line: name, patch} = version;
	const line = releaseLines.findLast(known => compareVersions(known.name, name) <= 0);
	if (line === undefined) {
		const {name: oldest} = releaseLines[0]!;
		throw new InputError(`release ${text} is older than ${oldest}, the oldest one known; the nearest is ${oldest}`);
	}

	if (line.name !== name) {
		return {...wholeLine(line), note: unknownNote(patch ?? name, {known: line.name, newest: newestRelease.name})};
	}

	if (patch === undefined) {
		return wholeLine(line);
	}

	return compareVersions(patch, line.newestPatch) > 0
		? {...line, asked: line.newestPatch, patch: line.newestPatch, note: unknownNote(patch, {known: line.newestPatch, newest: line.newestPatch})}
		: {
			...line, asked: patch, patch, features: featuresOf(patch), note: undefined,
		};
}

/** Says of a version that is not known whose rules are used instead, those of `known`, and whether that is because it is newer than all known ones. */
export function unknownNote(version: string, {known, newest}: {readonly known: string; readonly newest: string}): string {
	return compareVersions(version, newest) > 0
		? `${version} is newer than the known releases: these are the rules of ${known}.`
		: `${version} is not one of the known releases: these are the rules of ${known}, the nearest one before it.`;
}

/**
The numbers of a version: `1.30` and `1.30.3`, with or without a leading `v`, and with anything after a hyphen or a plus sign (`-distroless`, `-rc.1`). Undefined for any other text.
*/
function parseVersion(text: string): {readonly line: string; readonly patch: string | undefined} | undefined {
	const {line, patch} = /^v?(?<line>\d+\.\d+)(?<patch>\.\d+)?(?:[-+][\w.+-]*)?$/u.exec(text)?.groups ?? {};
	const isPlain = [line, patch].every(part => part === undefined || !/(?:^|\.)0\d/u.test(part));
	return line === undefined || !isPlain ? undefined : {line, patch: patch === undefined ? undefined : `${line}${patch}`};
}

/** Compares dotted numbers, up to three, part by part: below 0 if the first one is older, above 0 if it is newer. A missing part counts as 0. */
export function compareVersions(one: string, other: string): number {
	const [left, right] = [one, other].map(version => version.split('.').map(Number)) as [number[], number[]];
	const [mine, theirs] = [0, 1, 2].map(part => [left[part] ?? 0, right[part] ?? 0] as const).find(([first, second]) => first !== second) ?? [0, 0];
	return mine - theirs;
}

/** Says that a text is not a version, and what to write instead. */
function noVersion(text: string): string {
	const begin = /^v?(?<line>\d+\.\d+)/u.exec(text)?.groups?.['line'];
	const meant = releaseLines.find(({name}) => name === begin)?.name ?? closestName(text, [newestWord]);
	const fault = text === '' ? 'no version was given' : `"${text}" is not a version`;
	return `${fault}${meant === undefined ? '' : ` (did you mean ${meant}?)`}; write one as ${newestRelease.name} or ${newestRelease.newestPatch}, or ${newestWord} for the newest one known`;
}

/**
Whether a release has something, by the releases in which it alternately appeared and disappeared: `['1.18.5', '1.19.0', '1.19.1']` appeared in 1.18.5, is missing in 1.19.0 and is back since 1.19.1. An empty list means always.
*/
export function livesIn({patch}: Release, life: readonly string[] | undefined): boolean {
	return life === undefined || life.filter(turn => compareVersions(turn, patch) <= 0).length % 2 === 1;
}

function wholeLine(line: ReleaseLine): Release {
	return {
		...line, asked: line.name, patch: line.newestPatch, note: undefined,
	};
}

function newest(): Release {
	const line = releaseLines.at(-1);
	if (line === undefined) {
		throw new InputError('no release is known');
	}

	return wholeLine(line);
}
