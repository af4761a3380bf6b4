/**
`testbed diff`: which traffic moved between two rule sets, or between each rule set and the next in a series.
*/

import {defaultBackend} from '../../../src/netfilter/backends.js';
import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import {addressFamilies} from '../../../src/mesh/topology.js';
import {comparisonToJson} from '../../../src/report/comparison/json.js';
import {printComparison} from '../../../src/report/comparison/text.js';
import {exitStatusOfComparison, tallyOfComparison, type ComparisonReport} from '../../../src/report/comparison/types.js';
import {nameOfPair, resultsOfComparisons, type ComparisonSuite} from '../../../src/report/comparison/results.js';
import {compareConsecutive} from '../../analysis/compare.js';
import {TestbedError} from '../../errors.js';
import type {RuleInput} from '../../inputs/types.js';
import {newestReleaseName, releasesSince} from '../../inputs/releases-since.js';
import {familiesOfDump} from '../../inputs/dump.js';
import {loadRuleInput, loadRuleInputs} from '../../inputs/rules.js';
import {readSource, type InputRequest, type MissingInput} from '../../inputs/request.js';
import {isDump, liveNameOf} from '../../inputs/source.js';
import {usualFamilies} from '../../inputs/usual-families.js';
import type {PrintFlags} from '../output/destinations.js';
import {writeFormatted} from '../output/write-report.js';
import {writeSeries} from '../output/write-series.js';
import {checkOutputFlags, ruleFiles} from '../output/output-files.js';
import {usualCredentials} from '../../inputs/credentials.js';
import {commandLine, programName} from '../../system/program-name.js';
import type {OnProgress} from '../../system/on-progress.js';
import type {ShardFlags, ShardRequest} from '../../shards/request.js';
import {doAll} from '../../inputs/many-faults.js';
import {programOf} from '../../analysis/probe-classes.js';
import {
	Checks, isLeftUnread, refuseWithCheck, type CheckFlags,
} from '../check/checks.js';
import type {Rounds} from '../watch/rounds.js';
import type {WatchFlags} from '../watch/watch.js';
import {rowsOfClasses} from '../check/classes.js';
import {
	counted, endCheck, namesOf, rowsOfRules, unreadPod, type PlanRow,
} from '../check/plan.js';
import {supervise} from '../supervise.js';
import {diffShard} from './diff-shard.js';
import {shardFiles, shardOf} from './shard-flags.js';

/** The options as the command line gives them. */
export type DiffFlags = ShardFlags & PrintFlags & CheckFlags & WatchFlags & {
	readonly consecutive?: boolean;
	readonly since?: string;
	readonly from6?: string;
	readonly to6?: string;
	readonly backend?: readonly Backend[];
	/** Undefined: both, or the only one that both dumps cover. */
	readonly family?: readonly AddressFamily[];
	readonly paths?: boolean;
	readonly dnsServers?: readonly string[];
	readonly allowModules?: boolean;
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly limit: number;
	readonly timeout: number;
	readonly traceBuffer: number;
};

type KnownFlags = DiffFlags & {readonly family: readonly AddressFamily[]};

/** A series of rule sets, each compared with the next. */
type Row = {readonly name: string; readonly inputs: readonly RuleInput[]; readonly dumps6?: ReadonlyArray<string | undefined>; readonly missing: readonly MissingInput[]};

/**
Compares on the kernel and prints; returns the exit status.

@throws {TestbedError} USAGE or INPUT for an operand, and everything that a batch of probes throws.
*/
export async function diffCommand(sources: readonly string[], given: DiffFlags, rounds?: Rounds): Promise<number> {
	refuseWithCheck(given);
	const checks = new Checks(given);
	const shard = shardOfDiff(given);
	const {inputs: read, outputs} = shardFiles(shard);
	checks.do(() => {
		checkOutputFlags(given, [...ruleFiles([...sources.map(source => ['an input', source] as const), ['--from6', given.from6], ['--to6', given.to6]]), ...read], outputs);
	});
	const unread = sources.filter(source => checks.do(() => isLeftUnread(source, checks)) === true);
	const {flags, known} = given.consecutive === true ? {flags: {...given, family: given.family ?? addressFamilies}, known: []} : knownOf(sources, given, checks);
	const rows = flags.consecutive === true ? sources.flatMap(source => checks.do(() => consecutiveOf(source, flags)) ?? []) : [pairOf(sources, flags, {known, checks})];
	if (checks.isOnly) {
		return checkDiff(rows, {sources, unread, flags, checks});
	}

	const name = sources.join(' → ');
	if (rounds?.toDo([{name, question: [rows[0]!.inputs.map(input => [input.backend, input.ruleSet, input.routing, input.intent, input.mesh]), flags]}]).length === 0) {
		return 0;
	}

	return supervise(async ({signal, onProgress}) => {
		const compare = async (row: Row, pairs?: readonly number[]): Promise<ComparisonSuite> => compareRow(row, flags, {
			signal,
			pairs,
			onProgress(step, progressed) {
				onProgress(rows.length === 1 ? step : `${row.name}: ${step}`, progressed);
			},
		});
		if (shard !== undefined) {
			return diffShard(rows.map(row => ({...row, missing: namedMissing(row)})), shard, {
				sources,
				flags,
				compare: async (row, pairs) => compare(rows[row]!, pairs),
				async print(suites) {
					await writeSeries(suites, flags);
				},
			});
		}

		const suites: ComparisonSuite[] = [];
		for (const row of rows) {
			suites.push(await compare(row)); // eslint-disable-line no-await-in-loop -- A single row already keeps the processors busy.
		}

		if (flags.consecutive === true) {
			return writeSeries(suites, flags);
		}

		const only = suites[0]!.reports[0]!;
		rounds?.note(name, tallyOfComparison(only));
		await writeFormatted({
			text: reader => printComparison(only, reader),
			json: () => comparisonToJson(only),
			results: () => resultsOfComparisons(suites, programName()),
			status: () => exitStatusOfComparison(only),
		}, flags);
		return exitStatusOfComparison(only);
	});
}

/**
Divides the packets into classes, and prints what would be sent.

@throws {TestbedError} All faults.
*/
async function checkDiff(rows: readonly Row[], {sources, unread, flags, checks}: {
	readonly sources: readonly string[]; readonly unread: readonly string[]; readonly flags: KnownFlags; readonly checks: Checks;
}): Promise<number> {
	const inputs = rows.flatMap(row => row.inputs);
	const isWhole = unread.length === 0 && inputs.length > 1;
	const classes: PlanRow[] = [];
	for (const row of isWhole ? rows : []) {
		const counts = await checks.wait(async () => rowsOfClasses({ // eslint-disable-line no-await-in-loop -- All on one thread.
			families: flags.family, programs: family => row.inputs.map(input => programOf(input, family)), limit: flags.limit, hasBound: true,
		}));
		classes.push(...(counts ?? []).map(([label, value]): PlanRow => [label, rows.length === 1 ? value : `${row.name}: ${value}`]));
	}

	checks.end();
	return endCheck({
		command: 'diff',
		rows: [
			...(unread.length === 0 ? rowsOfRules(inputs, flags.family) : [['rule sets', counted(sources.length, sources)] as const, ['families', namesOf(flags.family)] as const]),
			...(unread.length === 0 ? [['pairs', String(rows.reduce((sum, row) => sum + row.inputs.length - 1, 0))] as const] : []),
			...classes,
		],
		leftOut: rows.flatMap(row => namedMissing(row).map(({name, reason}) => `${name}: ${reason}`)),
		inputs,
		unknown: unread.map(source => unreadPod(source)),
	});
}

/** @throws {TestbedError} USAGE for a shard of a single pair, and as `shardOf`. */
function shardOfDiff(flags: DiffFlags): ShardRequest | undefined {
	const shard = shardOf(flags);
	if (shard !== undefined && flags.consecutive !== true) {
		throw new TestbedError('USAGE', {message: 'diff of two rule sets is a single piece of work, so it cannot be cut.', state: 'Nothing was run.', hint: 'Omit --shard-output, or compare many rule sets with --consecutive.'});
	}

	return shard;
}

async function compareRow(row: Row, flags: KnownFlags, {signal, pairs, onProgress}: {
	readonly signal: AbortSignal; readonly pairs: readonly number[] | undefined; readonly onProgress: OnProgress;
}): Promise<ComparisonSuite> {
	const {name, inputs, dumps6 = []} = row;
	const {family: families, paths, timeout: timeoutMs, traceBuffer: traceBufferBytes} = flags;
	const [first] = inputs;
	const reports: readonly ComparisonReport[] = await compareConsecutive({
		inputs,
		families,
		pairs,
		// One proxy user for all of them: a different user would make a different packet. Of a live pod it is known.
		credentials: usualCredentials(flags, first!.intent, inputs.find(({live}) => live !== undefined) ?? first),
		arePathsCompared: paths === true,
		readWith: inputs.map((_, place) => readWith(dumps6[place], flags)),
		limit: flags.limit,
		timeoutMs,
		traceBufferBytes,
		signal,
		onProgress,
	});
	return {name: name === '' ? nameOfPair(reports[0]!) : name, reports, missing: namedMissing(row)};
}

function namedMissing({missing}: Row): ComparisonSuite['missing'] {
	return missing.map(({release, backend, reason}) => ({name: `${release}, ${backend}`, reason}));
}

/** What was already read of an input. */
type Known = Pick<InputRequest, 'text' | 'live' | 'clusterPod'>;

/** Reads two dumps, or live pods, once each. Without --family, the families are both, unless both sides hold rules of one and the same family only, or a live pod has one only: then there is nothing to compare in the other. A live pod's name servers are those of the pod whose rules are expected. */
function knownOf(sources: readonly string[], given: DiffFlags, checks: Checks): {readonly flags: KnownFlags; readonly known: readonly Known[]} {
	const lives = sources.map(source => checks.isOnly || liveNameOf(source) === undefined ? undefined : usualFamilies({source}));
	const live = lives.find(each => each !== undefined);
	if (live !== undefined) {
		const nameservers = (live.live ?? live.clusterPod?.live)?.nameservers ?? [];
		const dnsServers = given.dnsServers ?? (nameservers.length === 0 ? undefined : nameservers);
		const flags = {...given, family: given.family ?? live.families, ...(dnsServers === undefined ? {} : {dnsServers})};
		return {flags, known: lives.map(each => each === undefined ? {} : {live: each.live, clusterPod: each.clusterPod})};
	}

	const texts = given.family === undefined ? checks.do(() => dumpTexts(sources, given)) ?? [] : [];
	return {flags: {...given, family: given.family ?? familiesOf(texts)}, known: texts.map(text => ({text}))};
}

/** The texts of two dumps, each read once. Empty if a side is not a dump or has one file per family. */
function dumpTexts(sources: readonly string[], {from6, to6}: DiffFlags): readonly string[] {
	const isPair = sources.length === 2 && from6 === undefined && to6 === undefined && sources.every(source => isDump(source)) && sources.some(source => source !== '-');
	return isPair ? doAll(sources.map(source => () => readSource(source)), {heading: () => 'Both inputs cannot be read:'}) : [];
}

function familiesOf(texts: readonly string[]): readonly AddressFamily[] {
	// A dump that cannot be parsed has none; loading it says why.
	const [first, second = first] = texts.flatMap(text => [familiesOfDump(text) ?? []]).filter(families => families.length > 0);
	return first?.length === 1 && second?.length === 1 && first[0] === second[0] ? first : addressFamilies;
}

/**
The two rule sets of a command line. With `--check`, a live pod and a rule set with a fault are left out.

@throws {TestbedError} USAGE or INPUT.
*/
function pairOf(sources: readonly string[], flags: KnownFlags, {known, checks}: {readonly known: readonly Known[]; readonly checks: Checks}): Row {
	if (flags.since !== undefined) {
		throw new TestbedError('USAGE', {message: '--since works only with --consecutive.'});
	}

	const [from, to, ...more] = sources;
	if (from === undefined || to === undefined || more.length > 0) {
		throw new TestbedError('USAGE', {message: `diff compares two rule sets, but ${sources.length === 1 ? 'one was' : `${sources.length} were`} given.`, hint: `For example: ${commandLine('diff release:1.24 release:1.30')}. To compare each rule set with the next, use --consecutive.`});
	}

	const [first, second = first, ...others] = flags.backend ?? [];
	if (others.length > 0) {
		throw new TestbedError('USAGE', {message: `diff compares two rule sets, but --backend names ${flags.backend!.length} back ends.`, hint: 'Name one for both sides, or one for each.'});
	}

	if (from === '-' && to === '-') {
		throw new TestbedError('USAGE', {message: 'Both sides cannot be read from standard input.', hint: 'Save one of them to a file.'});
	}

	const load = (source: string, {side, source6, backend, read = {}}: {readonly side: 'from' | 'to'; readonly source6: string | undefined; readonly backend: Backend | undefined; readonly read: Known | undefined}) => loadRuleInput({
		...requestOf(source, flags), source6, ...read, options: {rules: side === 'from' ? 'the first input' : 'the second input', rules6: `--${side}6`}, ...(backend === undefined ? {} : {backend}),
	});
	const sides = [
		{source: from, request: {side: 'from', source6: flags.from6, backend: first, read: known[0]}},
		{source: to, request: {side: 'to', source6: flags.to6, backend: second, read: known[1]}},
	] as const;
	return {
		name: '', inputs: sides.filter(({source}) => !checks.isOnly || liveNameOf(source) === undefined).flatMap(({source, request}) => checks.do(() => load(source, request)) ?? []), dumps6: [flags.from6, flags.to6], missing: [],
	};
}

function consecutiveOf(source: string, flags: KnownFlags): Row {
	const [backend = defaultBackend, ...others] = flags.backend ?? [];
	if (others.length > 0 || flags.from6 !== undefined || flags.to6 !== undefined) {
		throw new TestbedError('USAGE', {message: '--consecutive takes one back end for all rule sets, and no --from6 or --to6.'});
	}

	const loaded = loadRuleInputs({...requestOf(source, flags), backends: [backend]});
	const isSince = releasesSince(flags.since);
	const inputs = loaded.inputs.filter(({release}) => isSince(release));
	const missing = loaded.missing.filter(({release}) => isSince(release));
	if (inputs.length < 2) {
		const since = flags.since === undefined ? '' : ` since ${flags.since}`;
		throw new TestbedError('USAGE', {message: `${source} names ${inputs.length === 1 ? 'one rule set' : 'no rule set'}${since}; --consecutive needs at least two.`, hint: `For example: ${commandLine('diff --consecutive release:all')}. The newest known release is ${newestReleaseName}.`});
	}

	// Each gets its own name, so that the commands printed to reproduce a move name a single rule set.
	const named = inputs.map(input => ({...input, source: input.release === null ? input.source : input.source.replace(/\brelease:all\b/u, `release:${input.release}`)}));
	return {name: `${source}, ${backend}`, inputs: named, missing};
}

/** The types need no expectations: two rule sets are compared with each other. */
function requestOf(source: string, {family: families, dnsServers, allowModules}: KnownFlags): InputRequest {
	return {
		source, families, dnsServers, allowModules, isForShow: true,
	};
}

/** The options that a single probe needs to read the same rules. */
function readWith(source6: string | undefined, {dnsServers}: DiffFlags): readonly string[] {
	return [...(source6 === undefined ? [] : ['--rules6', source6]), ...(dnsServers === undefined ? [] : ['--dns-servers', dnsServers.join(',')])];
}
