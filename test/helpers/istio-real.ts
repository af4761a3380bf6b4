/**
The runs of the real istio-iptables, and Istio's own goldens and epochs, in forms that can be compared with what our generator makes.
*/

import {readdirSync} from 'node:fs';
import type {ConfigFields} from '../../src/istio/options/config-options.js';
import {parseGolden, withGroupNumbers, type GoldenEntry} from '../../src/istio/conformance/golden.js';
import {normalize} from '../../src/netfilter/iptables/normalize.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';
import {backendOf, chainsOf as chainTextsOf, type RealRun} from '../../src/istio/conformance/real-run.js';
import {readFixture, readFixtureRows} from './fixtures.js';

export type {RealRun} from '../../src/istio/conformance/real-run.js';

const fileEnd = '.jsonl';

/** The files with runs of the real program, without `.jsonl`: every one in the folder, so that a new one is compared as soon as it is there. */
export const realRunFiles: readonly string[] = readdirSync('test/fixtures/istio-real').filter(name => name.endsWith(fileEnd)).map(name => name.slice(0, -fileEnd.length)).toSorted();

/** All runs, or those of one file. */
export function readRealRuns(file?: string): readonly RealRun[] {
	return (file === undefined ? realRunFiles : [file]).flatMap(name => readFixtureRows<RealRun>('istio-real', `${name}${fileEnd}`));
}

/** All runs that wrote rules of iptables. */
export function readIptablesRuns(): readonly RealRun[] {
	return readRealRuns().filter(run => backendOf(run) === 'iptables');
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

/** The same with each rule in its normal form, for texts that iptables has not been through. */
export function normalChainsOf(ruleSet: RuleSet): Readonly<Record<string, readonly string[]>> {
	return chainsOf(normalize(ruleSet));
}

/** One golden of Istio's iptables suite: the fields of its configuration, and the rules that they make. */
export type Golden = {readonly file: string; readonly fields: ConfigFields; readonly ruleSet: RuleSet};

/** All goldens with their options. */
export function readGoldenIndex(): readonly GoldenEntry[] {
	const {entries} = JSON.parse(withGroupNumbers(readFixture('istio-goldens', 'index.json'))) as {readonly entries: readonly GoldenEntry[]};
	return entries;
}

/** The goldens of the sidecar's iptables back end. */
export function readIptablesGoldens(): readonly Golden[] {
	return readGoldenIndex().flatMap(entry => entry.backend === 'iptables' && entry.mode === 'sidecar'
		? [{file: entry.file, fields: entry.options, ruleSet: parseGolden(withGroupNumbers(readFixture('istio-goldens', entry.file)), 'iptables')}]
		: []);
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
