/**
Whole runs for the library: the six types, comparisons, baselines, classes.
*/

import {baselineOf, type Baseline} from '../../src/baseline/baseline.js';
import {parseBaseline, printBaseline} from '../../src/baseline/file.js';
import {
	flag, oneOf, someText, whole,
} from '../../src/parsing/schema.js';
import {classify, type ClassSet} from '../../src/packet-classes/classify.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ComparisonReport} from '../../src/report/comparison/types.js';
import type {VerificationReport} from '../../src/report/verification/types.js';
import type {Report} from '../../src/report/run/types.js';
import {defaultTypeIds, typeIds} from '../../src/scenario/six-types.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import type {ActorCredentials, Credentials, TypeId} from '../../src/scenario/types.js';
import {loadBaseline} from '../analysis/baseline-file.js';
import {programOf} from '../analysis/probe-classes.js';
import {usualCredentials} from '../inputs/credentials.js';
import {compareInputs} from '../analysis/compare.js';
import {TestbedError} from '../errors.js';
import {recordBaseline} from '../analysis/record-baseline.js';
import {runTestbed} from '../run/run.js';
import {defaultBufferBytes} from '../tracer/trace-source.js';
import {verifyBaseline} from '../analysis/verify-baseline.js';
import {
	anyOf, badArgument, checkOptions, credentials, families as someFamilies, family as oneFamily, signal as aborting, someOf, type ShapeOf,
} from './check.js';
import {rulesOf, rulesOrDefault, type LoadedRules} from './rules.js';

/** What every run can be given. */
export type RunChoices = {
	/** Who the proxy runs as. Default: as it is injected with these rules. */
	readonly proxy?: Credentials;
	/** Longest wait for one connection; what exceeds it is a gap. Default: 5000. */
	readonly timeoutMs?: number;
	/** What the kernel may queue of trace events. */
	readonly traceBufferBytes?: number;
	/** Ends a run before its time, and takes down what it made. */
	readonly signal?: AbortSignal;
};

/** What a run of the types can be given. */
export type TypesChoices = RunChoices & {readonly types?: readonly TypeId[]};

/** What a comparison can be given. `paths`: other rules on the way to the same stops are a move as well. */
export type CompareChoices = RunChoices & {readonly paths?: boolean};

/** What a recording can be given: scenario files whose connections go through the rules. */
export type BaselineChoices = RunChoices & {readonly scenarios?: readonly string[]};

/** What a verification can be given. `stopsOnly`: the roles of rules do not count. `families`: all of the baseline, unless given. */
export type CheckChoices = RunChoices & {readonly stopsOnly?: boolean; readonly families?: readonly AddressFamily[]};

/** The schemas of what every run can be given. Bounds are those of the command line. */
export const sandboxShape: ShapeOf<Omit<RunChoices, 'signal'>> = {
	proxy: credentials, timeoutMs: whole(1, 600_000), traceBufferBytes: whole(1, 2_147_483_647),
};

const runShape: ShapeOf<RunChoices> = {...sandboxShape, signal: aborting};

type Chosen = {readonly credentials: ActorCredentials; readonly timeoutMs: number; readonly traceBufferBytes: number; readonly signal: AbortSignal; readonly onProgress: () => undefined};

/** All choices with their defaults. */
export function choicesOf({intent, proxy: known}: LoadedRules, {proxy, timeoutMs = 5000, traceBufferBytes = defaultBufferBytes, signal = new AbortController().signal}: RunChoices): Chosen {
	return {
		credentials: usualCredentials(proxy === undefined ? {} : {proxyUid: proxy.uid, proxyGid: proxy.gid}, intent, known), timeoutMs, traceBufferBytes, signal, onProgress: () => undefined,
	};
}

/**
Sends the six types of sidecar traffic through rules and judges them.

```
const report = await runTypes('release:1.30');
for (const {name, outcome} of report.types) { … outcome.kind is 'pass', 'fail' or 'inconclusive' }
```

@throws {TestbedError} as {@link openSandbox}; ACTOR_FAILED when a process of the run cannot start.
*/
export async function runTypes(...given: readonly [rules?: string | LoadedRules, choices?: TypesChoices]): Promise<Report> {
	const {types = defaultTypeIds, ...choices} = checked(given[1], 'runTypes: choices', {...runShape, types: someOf(oneOf(typeIds), 'types')});
	const loaded = rulesOrDefault(given, 'runTypes: rules');
	const {report} = await runTestbed({
		...choicesOf(loaded, choices), rules: loaded, families: loaded.families, types, keep: false,
	});
	return report;
}

/**
Tells which traffic goes another way by one rule set than by the other, for every packet class. `outcome` is `equal`, `moved`, or `inconclusive`: nothing moved, but not all is known (`gaps`).

```
const {outcome, statements} = await compare('release:1.30', parseRules(ours));
```

@throws {TestbedError} USAGE when the two have no family in common, and as {@link openSandbox}.
*/
export async function compare(from: string | LoadedRules, to: string | LoadedRules, given?: CompareChoices): Promise<ComparisonReport> {
	const {paths = false, ...choices} = checked(given, 'compare: choices', {...runShape, paths: flag});
	const [one, other] = [rulesOf(from, 'compare: from'), rulesOf(to, 'compare: to')];
	const families = one.families.filter(family => other.families.includes(family));
	if (families.length === 0) {
		throw new TestbedError('USAGE', {message: `${one.source} is of ${one.families.join(' and ')}, and ${other.source} of ${other.families.join(' and ')}: there is nothing to compare.`});
	}

	return compareInputs({
		...choicesOf(one, choices), from: one, to: other, families, arePathsCompared: paths,
	});
}

/**
Records what rules do with every packet class, so that rules can be checked against it later; `printBaseline` makes the file's text.

@throws {TestbedError} ACTOR_FAILED when evidence was lost, and as {@link openSandbox}.
*/
export async function createBaseline(...given: readonly [rules?: string | LoadedRules, choices?: BaselineChoices]): Promise<Baseline> {
	const {scenarios = [], ...choices} = checked(given[1], 'createBaseline: choices', {...runShape, scenarios: anyOf(someText, 'files')});
	const loaded = rulesOrDefault(given, 'createBaseline: rules');
	const {baseline, lost} = await recordBaseline({
		...choicesOf(loaded, choices), rules: loaded, families: loaded.families, scenarios, request: loaded.request,
	});
	if (lost.length > 0) {
		throw new TestbedError('ACTOR_FAILED', {message: `Nothing was recorded, for the evidence is not whole: ${lost.map(({message}) => message).join(' ')}`});
	}

	return baseline;
}

/**
Holds rules against a baseline, or the file of one. `verificationOutcome(report)` is `same`, `moved` or `inconclusive`.

@throws {TestbedError} INPUT for a baseline that is damaged or newer, and as {@link openSandbox}.
*/
export async function checkBaseline(baseline: string | Baseline, rules: string | LoadedRules, given?: CheckChoices): Promise<VerificationReport> {
	const {stopsOnly = false, families, proxy, ...choices} = checked(given, 'checkBaseline: choices', {...runShape, stopsOnly: flag, families: someFamilies});
	const whole = baselineFrom(baseline);
	const unrecorded = families?.find(family => !whole.rules.families.includes(family));
	if (unrecorded !== undefined) {
		throw badArgument('checkBaseline: choices.families', families, `nothing is recorded of ${unrecorded}`);
	}

	const recorded = families === undefined ? whole : baselineOf(whole, families);
	const loaded = rulesOf(rules, 'checkBaseline: rules');
	const missing = recorded.rules.families.filter(family => !loaded.families.includes(family));
	if (missing.length > 0) {
		throw new TestbedError('USAGE', {message: `The baseline is of ${recorded.rules.families.join(' and ')}, and ${loaded.source} has no rules of ${missing.join(' and ')}.`, hint: 'Choose: {families: [\'ipv4\']}.'});
	}

	return verifyBaseline({
		...choicesOf(loaded, {proxy: proxy ?? recorded.proxy, ...choices}), file: typeof baseline === 'string' ? baseline : 'the baseline', baseline: recorded, rules: loaded, areRolesCompared: !stopsOnly,
	});
}

/** Cuts all packets of a family into the classes that these rule sets can tell apart. The kernel is not asked. */
export function classesOf(rules: ReadonlyArray<string | LoadedRules>, given?: {readonly family?: AddressFamily}): ClassSet {
	const {family = 'ipv4'} = checked(given, 'classesOf: choices', {family: oneFamily});
	if (!Array.isArray(rules) || rules.length === 0) {
		throw badArgument('classesOf: rules', rules, 'expected a list of at least one rule set');
	}

	const loaded = (rules as readonly unknown[]).map((each, index) => rulesOf(each, `classesOf: rules[${index}]`));
	return classify(loaded.map(each => programOf(each, family)), {family, topology: defaultTopology});
}

/** The choices of a call, looked at; none where none were given. */
function checked<Choices extends object>(choices: Choices | undefined, name: string, shape: ShapeOf<Choices>): Partial<Choices> {
	if (choices === undefined) {
		return {};
	}

	checkOptions<Choices>(choices, name, shape);
	return choices;
}

/** A baseline, or the one of a file. One that was made by hand is read as its file would be. */
function baselineFrom(baseline: unknown): Baseline {
	if (typeof baseline === 'string') {
		return loadBaseline(baseline);
	}

	if (typeof baseline !== 'object' || baseline === null) {
		throw badArgument('checkBaseline: baseline', baseline, 'expected a file, or what createBaseline gave');
	}

	try {
		return parseBaseline(printBaseline(baseline as Baseline));
	} catch (error) {
		throw new TestbedError('USAGE', {message: `checkBaseline: baseline is not what createBaseline gives: ${(error as Error).message}`, state: 'Nothing was done.', cause: error});
	}
}
