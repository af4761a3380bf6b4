/**
Compares a run of the real istio-iptables with the rules generated for the same input. Pure: text in, text out.
*/

import {defaultBackendOf} from '../../netfilter/backends.js';
import {printNft} from '../../netfilter/nftables/ruleset.js';
import {printSave} from '../../netfilter/iptables/save.js';
import type {AddressFamily, RuleLanguage, RuleSet} from '../../netfilter/types.js';
import {readSidecarArguments, type SidecarInput} from '../options/arguments.js';
import {generate, generatedRefusal} from '../generate.js';
import {InputError} from '../../parsing/input-error.js';
import {findRelease, type Release} from '../releases.js';
import {familiesWritten, sidecarRouting} from '../routing.js';

/** The input of a run: see test/fixtures/istio-real/README.md. */
export type RunInput = {
	readonly release: string;
	readonly family: 'ipv4' | 'ipv6' | 'dual';
	readonly argv: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	readonly resolv: readonly string[];
};

/** A run with its results. `routes4` is routing table 133. */
export type RealRun = RunInput & {
	readonly rc: number;
	readonly error: string;
	readonly v4: string;
	readonly v6: string;
	readonly nft: string;
	readonly rules4: readonly string[];
	readonly rules6: readonly string[];
	readonly routes4: string;
};

/** Istio's own names of its two back ends, with the language that each writes. */
export const istioBackends = {iptables: 'iptables', nftables: 'nft'} as const satisfies Readonly<Record<string, RuleLanguage>>;

/** A back end by Istio's name. */
export type IstioBackend = keyof typeof istioBackends;

/** The generated result for the input of a run. */
export type GeneratedRun = {
	readonly release: Release;
	readonly input: SidecarInput;
	readonly families: readonly AddressFamily[];
	readonly ruleSet: RuleSet;
};

/** The addresses of `eth0` in the namespaces of the runs. */
const podAddresses = {
	ipv4: ['10.244.1.10'],
	ipv6: ['2001:db8:1::10'],
	dual: ['10.244.1.10', '2001:db8:1::10'],
} as const satisfies Record<RunInput['family'], readonly string[]>;

/**
Generates the rules for the input of a run.

@throws {InputError} if the program rejects the input.
*/
export function generateRun({release: version, family, argv, env, resolv}: RunInput): GeneratedRun {
	const release = findRelease(version);
	const read = readSidecarArguments({argv, environment: env, release});
	const input: SidecarInput = {
		...read,
		options: {
			...read.options,
			dnsServersV4: resolv.filter(server => !server.includes(':')),
			dnsServersV6: resolv.filter(server => server.includes(':')),
		},
	};
	const families = familiesWritten(podAddresses[family], input.options);
	const backend = defaultBackendOf(input.native ? 'nft' : 'iptables');
	const ruleSet = generate({
		release, options: input.options, families, backend,
	});
	const refusal = generatedRefusal(ruleSet, backend);
	if (refusal !== undefined) {
		throw new InputError(refusal);
	}

	return {
		release, input, families, ruleSet,
	};
}

/** The result of a run, in the form of the files of real runs. `error` is empty if the rules were installed. */
export type PrintedRun = Pick<RealRun, 'v4' | 'v6' | 'nft' | 'rules4' | 'rules6' | 'error'>;

/** Prints the rules generated for the input of a run, or why it is rejected. */
export function printRun(run: RunInput): PrintedRun {
	try {
		const {release, input, families, ruleSet} = generateRun(run);
		return {
			v4: printSave(ruleSet, 'ipv4').trimEnd(),
			v6: printSave(ruleSet, 'ipv6').trimEnd(),
			nft: input.native ? printListing(ruleSet) : '',
			rules4: policyRules({release, input, families}, 'ipv4'),
			rules6: policyRules({release, input, families}, 'ipv6'),
			error: '',
		};
	} catch (error) {
		if (error instanceof InputError) {
			return {
				v4: '', v6: '', nft: '', rules4: [], rules6: [], error: error.message,
			};
		}

		throw error;
	}
}

/** `nft list ruleset` as in the files: without its blank lines. */
function printListing(ruleSet: RuleSet): string {
	return printNft(ruleSet, {counters: true}).split('\n').filter(line => line !== '').join('\n');
}

/** The first place in which the generated result differs from the real one; texts in order, rules or lines. */
export type RunDifference = {readonly place: string; readonly ours: readonly string[]; readonly theirs: readonly string[]};

/** The result of a comparison. `refused`: both the program and the generator reject the input, each for a reason; the program's is the end of its output. */
export type RunComparison =
	| {readonly kind: 'equal'}
	| {readonly kind: 'refused'; readonly ours: string; readonly theirs: string}
	| {readonly kind: 'different'; readonly difference: RunDifference};

/** The back end that a run's arguments ask for; arguments that cannot be parsed count as iptables. */
export function backendOf({argv, env}: RunInput): IstioBackend {
	const isNative = argv.includes('--native-nftables') || argv.includes('--native-nftables=true') || env['NATIVE_NFTABLES'] === 'true';
	const language: RuleLanguage = isNative ? 'nft' : 'iptables';
	return (Object.keys(istioBackends) as readonly IstioBackend[]).find(name => istioBackends[name] === language)!;
}

/** Compares the generated rules with those of a real run: by table and chain in order, and the routes. */
export function compareRun(run: RealRun): RunComparison {
	let generated: GeneratedRun;
	try {
		generated = generateRun(run);
	} catch (error) {
		if (error instanceof InputError) {
			return run.rc === 0 ? different('refusal', [error.message], []) : {kind: 'refused', ours: error.message, theirs: reasonOf(run)};
		}

		throw error;
	}

	if (run.rc !== 0) {
		return different('refusal', [], [reasonOf(run)]);
	}

	const difference = firstDifference(generated, run);
	return difference === undefined ? {kind: 'equal'} : {kind: 'different', difference};
}

function reasonOf({error, rc}: Pick<RealRun, 'error' | 'rc'>): string {
	return error === '' ? `exit status ${rc}` : error;
}

function different(place: string, ours: readonly string[], theirs: readonly string[]): RunComparison {
	return {kind: 'different', difference: {place, ours, theirs}};
}

function firstDifference(generated: GeneratedRun, run: RealRun): RunDifference | undefined {
	const {release, input, families, ruleSet} = generated;
	const theirs = new Map([...chainsOfSave(run.v4, 'ip'), ...chainsOfSave(run.v6, 'ip6'), ...chainsOfNft(run.nft)]);
	const ours = chainsOf(ruleSet);
	const isRouted = sidecarRouting(input.options, families, release).localRoutes.some(({family, table}) => family === 'ipv4' && table === 133);
	return firstUnequal([
		...[...new Set([...ours.keys(), ...theirs.keys()])].toSorted().map(place => ({place, ours: ours.get(place) ?? [], theirs: theirs.get(place) ?? []})),
		{place: 'ip rule', ours: policyRules(generated, 'ipv4'), theirs: run.rules4},
		{place: 'ip -6 rule', ours: policyRules(generated, 'ipv6'), theirs: run.rules6},
		{place: 'ip route table 133', ours: isRouted ? ['local default dev lo scope host'] : [], theirs: run.routes4 === '' ? [] : [run.routes4]},
	]);
}

/** The first place where two lists of texts differ. */
export function firstUnequal(places: readonly RunDifference[]): RunDifference | undefined {
	return places.find(({ours, theirs}) => ours.length !== theirs.length || ours.some((text, index) => text !== theirs[index]));
}

/** Chains that have rules, as `family table chain` with their rules: an empty table is not a difference. */
export function chainsOf({tables}: RuleSet): ReadonlyMap<string, readonly string[]> {
	return new Map(tables.flatMap(table => table.chains
		.filter(({rules}) => rules.length > 0)
		.map(chain => [`${table.family} ${table.name} ${chain.name}`, chain.rules.map(({text}) => text)])));
}

/** The rules of `iptables-save`, line by line: both sides are in its format, so texts can be compared, which also covers what the parser does not know. */
function chainsOfSave(text: string, family: 'ip' | 'ip6'): ReadonlyMap<string, readonly string[]> {
	const chains = new Map<string, string[]>();
	let table = '';
	for (const line of text.split('\n')) {
		if (line.startsWith('*')) {
			table = line.slice(1);
		} else if (line.startsWith('-A ')) {
			const [, chain = '', rule = ''] = /^-A (\S+) ?(.*)$/.exec(line) ?? [];
			const place = `${family} ${table} ${chain}`;
			const rules = chains.get(place);
			if (rules === undefined) {
				chains.set(place, [rule]);
			} else {
				rules.push(rule);
			}
		}
	}

	return chains;
}

/** The rules of `nft list ruleset`, line by line and without counts: both sides are printed by nft, so texts can be compared. */
function chainsOfNft(text: string): ReadonlyMap<string, readonly string[]> {
	const chains = new Map<string, string[]>();
	let table = '';
	let chain = '';
	for (const line of text.split('\n').map(one => one.trim())) {
		const [, name] = /^table (?<name>\S+ \S+) \{$/u.exec(line) ?? [];
		const [, chainName] = /^chain (?<name>\S+) \{$/u.exec(line) ?? [];
		table = name ?? table;
		chain = chainName ?? chain;
		if (name === undefined && chainName === undefined && line !== '}' && line !== '' && !line.startsWith('type ')) {
			const place = `${table} ${chain}`;
			chains.set(place, [...chains.get(place) ?? [], line.replace(/ packets \d+ bytes \d+/u, '')]);
		}
	}

	return chains;
}

/** Routing tables that `ip` prints by name (iproute2, rt_tables). */
const tableNames: Readonly<Record<number, string>> = {253: 'default', 254: 'main', 255: 'local'};

/** `ip rule` lines with a mark. An added rule gets the priority just before that of the main table, 32766 (ip-rule(8)); mark 0 means none. */
function policyRules({release, input, families}: Pick<GeneratedRun, 'release' | 'input' | 'families'>, family: AddressFamily): readonly string[] {
	return sidecarRouting(input.options, families, release).markRules
		.filter(rule => rule.family === family && rule.mark !== 0)
		.map(({mark, table}) => `32765:\tfrom all fwmark 0x${mark.toString(16)} lookup ${tableNames[table] ?? table}`);
}
