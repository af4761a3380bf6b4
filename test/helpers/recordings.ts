/**
The recordings in test/recordings, as rounds that can be observed again. `npm run record` makes them; its text says what they hold.
*/

import {Buffer} from 'node:buffer';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {factsOf, languageOf, type TraceStream} from '../../src/netfilter/backends.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import {parseNft} from '../../src/netfilter/nftables/ruleset.js';
import type {
	AddressFamily, Backend, Family, RuleSet,
} from '../../src/netfilter/types.js';
import {decodeNflog} from '../../src/trace/decode/nflog.js';
import {decodeNftTrace} from '../../src/trace/decode/nft-trace.js';
import type {Decoded, TraceEvent} from '../../src/trace/decode/event.js';
import {parseNftListing, parseSavedCounters, type LoadedRule} from '../../src/trace/loaded-rules.js';
import type {Round} from '../../testbed/run/round.js';
import {parseOwners} from '../../testbed/tracer/trace-table.js';
import {traceTable} from '../../testbed/sandbox/own-table.js';

/** The names of the rounds with the default rules of a release. */
export const plainNames = ['iptables-nft-ipv4', 'iptables-nft-ipv6', 'iptables-legacy-ipv4', 'iptables-legacy-ipv6'] as const;

/** The names of the rounds with rules in the other tables as well. */
export const mixedNames = ['iptables-nft-ipv4-mixed', 'iptables-nft-ipv6-mixed', 'iptables-legacy-ipv4-mixed', 'iptables-legacy-ipv6-mixed'] as const;

/** The names of the rounds with the same rules in native nftables. */
export const nativeNames = ['nftables-ipv4', 'nftables-ipv6'] as const;

/** All of them. */
export const recordingNames = [...plainNames, ...mixedNames, ...nativeNames] as const;

/** One of them. */
export type RecordingName = typeof recordingNames[number];

/** A file as scripts/record.mjs writes it. States are what each program printed, by the program's name. */
type RecordingFile = {
	readonly environment: Readonly<Record<'kernel' | 'iptables' | 'nft' | 'node', string>>;
	readonly rules: string;
	readonly backend: Backend;
	readonly family: AddressFamily;
	readonly saved: readonly string[];
	readonly before: Readonly<Record<string, string>>;
	readonly after: Readonly<Record<string, string>>;
	readonly interfaces: ReadonlyArray<readonly [number, string]>;
	readonly probes: ReadonlyArray<{readonly id: string; readonly gap?: Round['probes'][number]['gap']}>;
	/** What the testbed made of the round when it was recorded, as steps. */
	readonly paths: readonly string[];
	/** JSON leaves out what is undefined. */
	readonly sockets: Round['sockets'];
	readonly overruns: number;
	readonly datagrams: ReadonlyArray<readonly [TraceStream, string]>;
};

/** A round that a kernel played once. */
export type Recorded = Pick<RecordingFile, 'environment' | 'backend' | 'family' | 'after' | 'paths'> & {readonly round: Round; readonly ruleSet: RuleSet};

function loadedRules({backend, family}: RecordingFile, printed: Readonly<Record<string, string>>): readonly LoadedRule[] {
	if (factsOf(backend).counters === 'nft-listing') {
		return parseNftListing(printed['nft']!, [traceTable]);
	}

	return family === 'ipv4' ? parseSavedCounters(printed['iptables-legacy-save']!, 'ip') : parseSavedCounters(printed['ip6tables-legacy-save']!, 'ip6');
}

const cache = new Map<RecordingName, Recorded>();

/** Reads a recording. */
export function readRecording(name: RecordingName): Recorded {
	const known = cache.get(name);
	if (known !== undefined) {
		return known;
	}

	const recording = JSON.parse(readFileSync(path.join(process.cwd(), 'test', 'recordings', `${name}.json`), 'utf8')) as RecordingFile;
	const {environment, backend, family, saved, before, after, interfaces, probes, paths, sockets, overruns, datagrams} = recording;
	const recorded: Recorded = {
		environment,
		backend,
		family,
		after,
		paths,
		ruleSet: languageOf(backend) === 'nft' ? parseNft(saved.join('\n')) : parseSave(saved.join('\n'), family),
		round: {
			before: loadedRules(recording, before),
			after: loadedRules(recording, after),
			owners: parseOwners(after['nft']!),
			interfaces: new Map(interfaces),
			probes: probes.map(({id, gap}) => ({id, gap})),
			sockets,
			recording: {overruns, datagrams: datagrams.map(([stream, text]) => ({stream, bytes: new Uint8Array(Buffer.from(text, 'base64'))}))},
		},
	};
	cache.set(name, recorded);
	return recorded;
}

/** Decodes a datagram of a stream. */
export function decode({stream, bytes}: {readonly stream: TraceStream; readonly bytes: Uint8Array}): Decoded {
	return stream === 'nft' ? decodeNftTrace(bytes) : decodeNflog(bytes);
}

/** An event without its packet, in one line: `nft rule ip nat OUTPUT #7 jump`. */
export function printEvent(event: TraceEvent): string {
	const {source, kind, family, table, chain} = event;
	const rule = source === 'nft' ? event.handle : event.number;
	const verdict = source === 'nft' ? event.verdict : undefined;
	return [source, kind, family, table, chain, ...(rule === undefined ? [] : [`#${rule}`]), ...(verdict === undefined ? [] : [verdict])].join(' ');
}

/** The family of the tables that a recording's packets meet. */
export function tableFamilyOf({family}: Recorded): Family {
	return family === 'ipv4' ? 'ip' : 'ip6';
}
