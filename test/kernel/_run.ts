/**
Runs of the testbed within the test's own process, and helpers to read reports.
*/

import process from 'node:process';
import {file} from 'tmp-promise';
import {findChain} from '../../src/netfilter/lookup.js';
import {stepsOfPath, stopsOfPath} from '../../src/netfilter/path.js';
import {printSave} from '../../src/netfilter/iptables/save.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {defaultTypeIds} from '../../src/istio/traffic/six-types.js';
import type {ActorName, Credentials, TypeId} from '../../src/mesh/traffic.js';
import {describeCause, describeDifference, causesOf} from '../../src/report/run/describe-differences.js';
import type {Report, TypeResult} from '../../src/report/run/types.js';
import type {RuleInput} from '../../testbed/inputs/types.js';
import type {RunOptions} from '../../testbed/run/options.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {runTestbed} from '../../testbed/run/run.js';

/** What a test varies; everything else is as in `testbed run`. */
export type Variation = Partial<Omit<RunOptions, 'rules' | 'credentials'>> & {
	readonly rules?: string | RuleInput;
	readonly backend?: Backend;
	readonly credentials?: Partial<Record<ActorName, Credentials>>;
};

const root: Credentials = {uid: 0, gid: 0};
const sidecar: Credentials = {uid: 1337, gid: 1337};

/** The options of a run, with the defaults of the command line. */
export function optionsOf({rules = 'release:1.30', credentials = {}, families = ['ipv4'], backend, ...rest}: Variation = {}): RunOptions {
	const proxy = credentials.proxy ?? sidecar;
	const input = typeof rules === 'string'
		? loadRuleInput({
			source: rules, source6: undefined, families, ...(backend === undefined ? {} : {backend}),
		})
		: rules;
	return {
		rules: backend === undefined ? input : {...input, backend},
		families,
		types: defaultTypeIds,
		credentials: {
			agent: proxy, app: {uid: 1000, gid: 1000}, remote: root, istiod: root, prometheus: root, ...credentials, proxy,
		},
		timeoutMs: 5000,
		traceBufferBytes: 64 << 20,
		signal: new AbortController().signal,
		onProgress: () => undefined,
		...rest,
	};
}

/** Runs and returns the report. */
export async function run(variation?: Variation): Promise<Report> {
	const {report} = await runTestbed(optionsOf(variation));
	return report;
}

/** The result of one type. */
export function resultOf(report: Report, id: TypeId, family: AddressFamily = 'ipv4'): TypeResult {
	const found = report.types.find(result => result.id === id && result.family === family);
	if (found === undefined) {
		throw new Error(`The report has no type ${id} in ${family}.`);
	}

	return found;
}

/** The path of one type in the notation of the testbed. */
export function pathOf(report: Report, id: TypeId, family?: AddressFamily): string {
	return stepsOfPath({legs: resultOf(report, id, family).legs}).join(' > ');
}

/** The stops of one type. */
export function stopsOf(report: Report, id: TypeId, family?: AddressFamily): string {
	return stopsOfPath({legs: resultOf(report, id, family).legs}).join(' → ');
}

/** What went wrong with a type, as sentences for assertions. */
export function sayings({outcome}: TypeResult): readonly string[] {
	switch (outcome.kind) {
		case 'pass': {
			return [];
		}

		case 'fail': {
			return outcome.differences.flatMap(difference => [describeDifference(difference), ...causesOf(difference).map(cause => describeCause(cause))]);
		}

		case 'inconclusive': {
			return outcome.reasons.map(({kind, message}) => `${kind}: ${message}`);
		}
	}
}

/** Outcome by type: `{1: 'pass', …}`. A failure or doubt includes its sentences, so that a failing test explains itself. */
export function outcomesOf(report: Report): Readonly<Record<string, string>> {
	return Object.fromEntries(report.types.map(result => [`${result.id} ${result.family}`, [result.outcome.kind, ...sayings(result)].join(' | ')]));
}

/** Rules with which the agent's connection to Istiod (type 6) waits for an answer as long as it may: they drop its packets within a limit, which one that is sent again could exceed. */
export function waitingDump(): string {
	return `${defaultDump()}*filter\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -m tcp --dport 15012 -m limit --limit 1000/sec --limit-burst 1000 -j DROP\nCOMMIT\n`;
}

/** What `iptables-restore` would get of the default set of the newest release. */
export function defaultDump(family: AddressFamily = 'ipv4'): string {
	const {ruleSet} = loadRuleInput({source: 'release:1.30', source6: undefined, families: [family]});
	return printSave(ruleSet, family);
}

/** The `number`-th rule of a chain of a dump, as its whole line. */
export function lineOf(dump: string, chain: string, number: number): string {
	const line = dump.split('\n').filter(text => text.startsWith(`-A ${chain} `))[number - 1];
	if (line === undefined) {
		throw new Error(`The dump has no ${chain}#${number}.`);
	}

	return line;
}

/** How many rules a chain of the default set has. */
export function lengthOf(chain: string): number {
	const {ruleSet} = loadRuleInput({source: 'release:1.30', source6: undefined, families: ['ipv4']});
	return findChain(ruleSet, {family: 'ip', table: 'nat', chain})!.rules.length;
}

/** Takes one line out of a dump. Lines are unique in the default set. */
export function without(dump: string, line: string): string {
	return replace(dump, `${line}\n`, '');
}

/** Replaces a text that must be there, once. */
export function replace(dump: string, from: string, to: string): string {
	const parts = dump.split(from);
	if (parts.length !== 2) {
		throw new Error(`${JSON.stringify(from)} occurs ${parts.length - 1} times in the dump.`);
	}

	return parts.join(to);
}

/** A dump as a rule input, loaded from a file like a user's dump. */
export async function inputOf(dump: string, {family = 'ipv4', source}: {readonly family?: AddressFamily; readonly source?: string} = {}): Promise<RuleInput> {
	const {path, cleanup} = await file({prefix: 'testbed-test-'});
	try {
		const {writeFile} = await import('node:fs/promises');
		await writeFile(path, dump);
		return {...loadRuleInput({source: path, source6: undefined, families: [family]}), source: source ?? 'a dump'};
	} finally {
		await cleanup();
	}
}

/** The PATH for programs that a test starts itself: `npm` prepends node_modules/.bin, which has an unrelated program `nft`. */
export const systemPath = [...(process.env['PATH'] ?? '').split(':').filter(folder => folder !== '' && !folder.includes('node_modules')), '/usr/sbin', '/sbin'].join(':');

/** The back ends to make tests for. */
export const bothBackends: readonly Backend[] = ['iptables-nft', 'iptables-legacy'];

if (process.getuid?.() !== 0) {
	throw new Error('Kernel tests need root: sudo env "PATH=$PATH" npm run test:kernel');
}
