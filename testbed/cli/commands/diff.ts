/**
`testbed diff`: which traffic moved between two rule sets, or from each of many to the next.
*/

import {defaultBackend} from '../../../src/netfilter/backends.js';
import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import {comparisonToJson} from '../../../src/report/comparison/json.js';
import type {ComparisonSuitesDocument} from '../../../src/report/comparison/schema.js';
import {printComparison} from '../../../src/report/comparison/text.js';
import {exitStatusOfComparison, type ComparisonReport} from '../../../src/report/comparison/types.js';
import {printSeries} from '../../../src/report/comparison/series-text.js';
import {exitStatusOfResults} from '../../../src/report/formats/results.js';
import {nameOfPair, resultsOfComparisons, type ComparisonSuite} from '../../../src/report/comparison/results.js';
import {compareConsecutive} from '../../analysis/compare.js';
import {TestbedError} from '../../errors.js';
import type {RuleInput} from '../../inputs/types.js';
import {newestReleaseName, releasesSince} from '../../inputs/releases-since.js';
import {loadRuleInput, loadRuleInputs} from '../../inputs/rules.js';
import type {MissingInput, InputRequest} from '../../inputs/request.js';
import type {Format} from '../parsers.js';
import {readerOf} from '../output/terminal.js';
import {writeFormatted} from '../output/write-report.js';
import {checkOutputFlags, ruleFiles} from '../output/output-files.js';
import {usualCredentials} from '../../inputs/credentials.js';
import {supervise} from '../supervise.js';

/** The options as the command line gives them. */
export type DiffFlags = {
	readonly consecutive?: boolean;
	readonly since?: string;
	readonly from6?: string;
	readonly to6?: string;
	readonly backend?: readonly Backend[];
	readonly family: readonly AddressFamily[];
	readonly paths?: boolean;
	readonly dnsServers?: readonly string[];
	readonly allowModules?: boolean;
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly format: Format;
	readonly output?: string;
	readonly verbose?: boolean;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/** Rule sets to compare one after the other. */
type Row = {readonly name: string; readonly inputs: readonly RuleInput[]; readonly dumps6?: ReadonlyArray<string | undefined>; readonly missing: readonly MissingInput[]};

/**
Compares on the kernel and prints; returns the exit status.

@throws {TestbedError} USAGE or INPUT for an operand, and all that a batch of probes throws.
*/
export async function diffCommand(sources: readonly string[], flags: DiffFlags): Promise<number> {
	checkOutputFlags(flags, ruleFiles([...sources.map(source => ['an input', source] as const), ['--from6', flags.from6], ['--to6', flags.to6]]));
	const rows = flags.consecutive === true ? sources.map(source => consecutiveOf(source, flags)) : [pairOf(sources, flags)];
	const suites = await supervise(async ({signal, onProgress}) => {
		const compared: ComparisonSuite[] = [];
		for (const row of rows) {
			compared.push(await compareRow(row, flags, { // eslint-disable-line no-await-in-loop -- Each row keeps the processors busy by itself.
				signal,
				onProgress(step) {
					onProgress(rows.length === 1 ? step : `${row.name}: ${step}`);
				},
			}));
		}

		return compared;
	});
	const only = flags.consecutive === true ? undefined : suites[0]!.reports[0]!;
	const results = () => resultsOfComparisons(suites);
	await writeFormatted({
		text: () => only === undefined ? printSeries(suites, readerOf(flags)) : printComparison(only, readerOf(flags)),
		json: () => only === undefined ? jsonOf(suites) : comparisonToJson(only),
		results,
	}, flags);
	return only === undefined ? exitStatusOfResults(results()) : exitStatusOfComparison(only);
}

async function compareRow({name, inputs, missing, dumps6 = []}: Row, flags: DiffFlags, {signal, onProgress}: {
	readonly signal: AbortSignal; readonly onProgress: (step: string) => void;
}): Promise<ComparisonSuite> {
	const {family: families, paths, timeout: timeoutMs, traceBuffer: traceBufferBytes} = flags;
	const [first] = inputs;
	const reports: readonly ComparisonReport[] = await compareConsecutive({
		inputs,
		families,
		// One proxy for all of them: another user would be another packet.
		credentials: usualCredentials(flags, first!.intent, first!.proxy),
		arePathsCompared: paths === true,
		readWith: inputs.map((_, place) => readWith(dumps6[place], flags)),
		timeoutMs,
		traceBufferBytes,
		signal,
		onProgress,
	});
	return {name: name === '' ? nameOfPair(reports[0]!) : name, reports, missing: missing.map(({release, backend, reason}) => ({name: `${release}, ${backend}`, reason}))};
}

function pairOf(sources: readonly string[], flags: DiffFlags): Row {
	if (flags.since !== undefined) {
		throw new TestbedError('USAGE', {message: '--since works only with --consecutive.'});
	}

	const [from, to, ...more] = sources;
	if (from === undefined || to === undefined || more.length > 0) {
		throw new TestbedError('USAGE', {message: `A comparison has two sides, and ${sources.length === 1 ? 'one rule set is' : `${sources.length} rule sets are`} named.`, hint: 'For instance testbed diff release:1.24 release:1.30. To compare each of many with the next, use --consecutive.'});
	}

	const [first, second = first, ...others] = flags.backend ?? [];
	if (others.length > 0) {
		throw new TestbedError('USAGE', {message: `A comparison has two sides, and --backend names ${flags.backend!.length} back ends.`, hint: 'Name one for both sides, or one for each.'});
	}

	if (from === '-' && to === '-') {
		throw new TestbedError('USAGE', {message: 'Both sides would be read from standard input.', hint: 'Put one of the two into a file.'});
	}

	const load = (source: string, source6: string | undefined, backend: Backend | undefined) => loadRuleInput({
		...requestOf(source, flags), source6, ...(backend === undefined ? {} : {backend}),
	});
	return {
		name: '', inputs: [load(from, flags.from6, first), load(to, flags.to6, second)], dumps6: [flags.from6, flags.to6], missing: [],
	};
}

function consecutiveOf(source: string, flags: DiffFlags): Row {
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
		throw new TestbedError('USAGE', {message: `${source} names ${inputs.length === 1 ? 'one rule set' : 'no rule set'}${since}; --consecutive needs two.`, hint: `For instance testbed diff --consecutive release:all; the newest release known is ${newestReleaseName}.`});
	}

	// Each by its own name, so that the commands which show a move name one rule set.
	const named = inputs.map(input => ({...input, source: input.release === null ? input.source : input.source.replace(/\brelease:all\b/u, `release:${input.release}`)}));
	return {name: `${source}, ${backend}`, inputs: named, missing};
}

/** No type has to have an expectation: two rule sets are each other's. */
function requestOf(source: string, {family: families, dnsServers, allowModules}: DiffFlags): InputRequest {
	return {
		source, families, dnsServers, allowModules, isForShow: true,
	};
}

/** What a probe alone has to be told to read the same rules. */
function readWith(source6: string | undefined, {dnsServers}: DiffFlags): readonly string[] {
	return [...(source6 === undefined ? [] : ['--rules6', source6]), ...(dnsServers === undefined ? [] : ['--dns-servers', dnsServers.join(',')])];
}

function jsonOf(suites: readonly ComparisonSuite[]): ComparisonSuitesDocument {
	return {version: 1, suites: suites.map(({name, reports, missing}) => ({name, missing, pairs: reports.map(report => comparisonToJson(report))}))};
}
