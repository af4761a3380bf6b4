/**
The runs of the real istio-iptables, and Istio's own goldens and epochs, in forms that can be compared with what our generator makes.
*/

import type {ConfigFields} from '../../src/istio/config-options.js';
import {parseRange, printRange} from '../../src/netfilter/address.js';
import {parseSave} from '../../src/netfilter/save.js';
import type {
	AddressFamily, Match, Rule, RuleSet,
} from '../../src/netfilter/types.js';
import {chainsOf as chainTextsOf, type RealRun} from '../../src/istio/real-run.js';
import {readFixture, readFixtureRows} from './fixtures.js';

export type {RealRun} from '../../src/istio/real-run.js';

/** All runs of one file. */
export function readRealRuns(file: 'defaults' | 'random' | 'random-nft'): readonly RealRun[] {
	return readFixtureRows<RealRun>('istio-real', `${file}.jsonl`);
}

/** A title that tells a run from the others. */
export function titleOf({release, family, argv, env, resolv}: RealRun): string {
	const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
	return [release, family, ...assignments, ...argv.map(word => word === '' ? '""' : word), `resolv=${resolv.join(',')}`].join(' ');
}

/** Chains that hold rules, as `family table chain` with their rules: a table that was only touched is no difference. */
export function chainsOf(ruleSet: RuleSet): Readonly<Record<string, readonly string[]>> {
	return Object.fromEntries(chainTextsOf(ruleSet));
}

/** The same with each rule by its meaning, for texts that iptables has not been through: matches in any order, addresses cut to the network. */
export function meaningsOf({tables}: RuleSet): Readonly<Record<string, readonly string[]>> {
	return Object.fromEntries(tables.flatMap(table => table.chains
		.filter(({rules}) => rules.length > 0)
		.map(chain => [`${table.family} ${table.name} ${chain.name}`, chain.rules.map(rule => meaningOf(rule))])));
}

function meaningOf({matches, target}: Pick<Rule, 'matches' | 'target'>): string {
	return [...matches.map(match => JSON.stringify(cutToNetwork(match))).toSorted(), JSON.stringify(target)].join(' ');
}

function cutToNetwork(match: Match): Match {
	if (match.kind !== 'source' && match.kind !== 'destination') {
		return match;
	}

	const range = parseRange(match.address);
	return {...match, address: range === undefined ? match.address : printRange(range) ?? match.address};
}

/** One golden of Istio's iptables suite: the fields of its configuration, and the rules that they make. */
export type Golden = {readonly file: string; readonly fields: ConfigFields; readonly ruleSet: RuleSet};

/** Two groups of the goldens have names that no Debian knows; options hold numbers, so both sides get the same ones. */
export function numbered(text: string): string {
	return text.replaceAll(/\bjava\b/g, '20001').replaceAll(/\bftp\b/g, '20002');
}

/** A row of the index of goldens. */
export type GoldenEntry = {readonly file: string; readonly backend: string; readonly mode: string; readonly options: ConfigFields};

/** All goldens with their options. */
export function readGoldenIndex(): readonly GoldenEntry[] {
	const {entries} = JSON.parse(numbered(readFixture('istio-goldens', 'index.json'))) as {readonly entries: readonly GoldenEntry[]};
	return entries;
}

/** The goldens of the sidecar's iptables back end. */
export function readIptablesGoldens(): readonly Golden[] {
	return readGoldenIndex()
		.filter(({backend, mode}) => backend === 'iptables' && mode === 'sidecar')
		.map(({file, options}) => ({file, fields: options, ruleSet: parseGolden(numbered(readFixture('istio-goldens', file)))}));
}

/** Restore texts between lines that are no rules: all IPv4 tables by name, then all IPv6 ones, so a name that is not greater than the last one begins IPv6. */
export function parseGolden(text: string): RuleSet {
	const tables = text.split('\n').filter(line => !/^ip6?tables-save$/.test(line)).join('\n').split(/(?<=^COMMIT$)\n?/m).filter(part => part.trim() !== '');
	const names = tables.map(table => /^\* ?(?<name>\S+)/.exec(table)?.groups?.['name'] ?? '');
	const begin = names.findIndex((name, index) => index > 0 && name <= (names[index - 1] ?? ''));
	return {
		tables: tables.flatMap((table, index) => parseSave(table, begin !== -1 && index >= begin ? 'ipv6' : 'ipv4').tables),
	};
}

/** One rule list of epochs.json. */
export type Epoch = {readonly release: string; readonly kind: 'default' | 'dns' | 'dnsAll'; readonly family: AddressFamily; readonly ruleSet: RuleSet};

type EpochFile = {
	readonly releases: Readonly<Record<string, Readonly<Record<Epoch['kind'], Readonly<Record<AddressFamily, string | null>> | null>>>>;
	readonly epochs: ReadonlyArray<{readonly id: string; readonly rules: Readonly<Record<string, readonly string[]>>}>;
};

/** What each release writes for the default sidecar and with DNS capture, as derived from the sources. */
export function readEpochs(): readonly Epoch[] {
	const {releases, epochs} = JSON.parse(readFixture('istio-goldens', 'epochs.json')) as EpochFile;
	return Object.entries(releases).flatMap(([release, kinds]) => (['default', 'dns', 'dnsAll'] as const).flatMap(kind => (['ipv4', 'ipv6'] as const).flatMap(family => {
		const id = kinds[kind]?.[family];
		const rules = epochs.find(epoch => epoch.id === id)?.rules;
		return rules === undefined
			? []
			: [{
				release, kind, family, ruleSet: parseSave(Object.entries(rules).map(([table, lines]) => [`*${table}`, ...lines, 'COMMIT'].join('\n')).join('\n'), family),
			}];
	})));
}
