/**
Whole runs for the library: the six types, comparisons, baselines, classes.
*/

import {baselineOf, type Baseline} from '../../src/baseline/baseline.js';
import {parseBaseline, printBaseline} from '../../src/baseline/file.js';
import {InputError} from '../../src/parsing/input-error.js';
import {
	flag, oneOf, someText, whole,
} from '../../src/parsing/schema.js';
import {classify, type ClassSet} from '../../src/packet-classes/classify.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ComparisonReport} from '../../src/report/comparison/types.js';
import type {VerificationReport} from '../../src/report/verification/types.js';
import type {Report} from '../../src/report/run/types.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {ActorCredentials, Credentials, TypeId} from '../../src/mesh/traffic.js';
import {loadBaseline} from '../analysis/baseline-file.js';
import {programOf} from '../analysis/probe-classes.js';
import {playersOf} from '../inputs/players.js';
import {usualCredentials} from '../inputs/credentials.js';
import {compareInputs} from '../analysis/compare.js';
import {defaultTypesOf, typeIdsOf} from '../../src/mesh/traffic-types.js';
import {TestbedError} from '../errors.js';
import {recordBaseline} from '../analysis/record-baseline.js';
import {runTestbed} from '../run/run.js';
import {defaultBufferBytes} from '../tracer/trace-source.js';
import {verifyBaseline} from '../analysis/verify-baseline.js';
import {
	anyOf, badArgument, checkOptions, credentials, families as someFamilies, family as oneFamily, signal as aborting, someOf, type ShapeOf,
} from './check.js';
import {rulesOf, rulesOrDefault, type LoadedRules} from './rules.js';

/** Options of every run. */
export type RunChoices = {
	/** The proxy's user and group. Default: those of the proxy that is injected with these rules. */
	readonly proxy?: Credentials;
	/** Longest wait for one connection; exceeding it is a gap. Default: 5000. */
	readonly timeoutMs?: number;
	/** How much the kernel may queue of trace events. */
	readonly traceBufferBytes?: number;
	/** Aborts a run and removes what it created. */
	readonly signal?: AbortSignal;
};

/** Options of a run of the types. */
export type TypesChoices = RunChoices & {readonly types?: readonly TypeId[]};

/** Options of a comparison. `paths`: different rules on the path to the same stops count as a move as well. */
export type CompareChoices = RunChoices & {readonly paths?: boolean};

/** Options of a new baseline. `scenarios`: scenario files whose connections are sent through the rules. */
export type BaselineChoices = RunChoices & {readonly scenarios?: readonly string[]};

/** Options of a check. `stopsOnly`: the roles of rules are not compared. `families`: by default, all families of the baseline. */
export type CheckChoices = RunChoices & {readonly stopsOnly?: boolean; readonly families?: readonly AddressFamily[]};

/** The schemas of the options of every run. Limits are those of the command line. */
export const sandboxShape: ShapeOf<Omit<RunChoices, 'signal'>> = {
	proxy: credentials, timeoutMs: whole(1, 600_000), traceBufferBytes: whole(1, 2_147_483_647),
};

const runShape: ShapeOf<RunChoices> = {...sandboxShape, signal: aborting};

type Chosen = {readonly credentials: ActorCredentials; readonly timeoutMs: number; readonly traceBufferBytes: number; readonly signal: AbortSignal; readonly onProgress: () => undefined};

/** All options with their defaults. */
export function choicesOf(known: LoadedRules, {proxy, timeoutMs = 5000, traceBufferBytes = defaultBufferBytes, signal = new AbortController().signal}: RunChoices): Chosen {
	return {
		credentials: usualCredentials(proxy === undefined ? {} : {proxyUid: proxy.uid, proxyGid: proxy.gid}, known.intent, known), timeoutMs, traceBufferBytes, signal, onProgress: () => undefined,
	};
}

/**
Sends the six types of sidecar traffic through rules and judges them.

```
const report = await runTypes('release:1.30');
for (const {name, outcome} of report.types) { … outcome.kind is 'pass', 'fail' or 'inconclusive' }
```

@throws {TestbedError} as {@link openSandbox}; ACTOR_FAILED if a process of the run cannot start.
*/
export async function runTypes(...given: readonly [rules?: string | LoadedRules, choices?: TypesChoices]): Promise<Report> {
	const loaded = rulesOrDefault(given, 'runTypes: rules');
	const {types = defaultTypesOf(loaded.mesh.traffic), ...choices} = checked(given[1], 'runTypes: choices', {...runShape, types: someOf(oneOf(typeIdsOf(loaded.mesh.traffic)), 'types')});
	const chosen = choicesOf(loaded, choices);
	const {report} = await runTestbed({
		...chosen, ...playersOf(loaded, chosen.credentials), rules: loaded, families: loaded.families, types,
	});
	return report;
}

/**
Finds which traffic takes a different path with one rule set than with the other, for every packet class. `outcome` is `equal`, `moved`, or `inconclusive`: nothing moved, but some evidence is missing (`gaps`).

```
const {outcome, statements} = await compare('release:1.30', parseRules(ours));
```

@throws {TestbedError} USAGE if the two have no family in common, and as {@link openSandbox}.
*/
export async function compare(from: string | LoadedRules, to: string | LoadedRules, given?: CompareChoices): Promise<ComparisonReport> {
	const {paths = false, ...choices} = checked(given, 'compare: choices', {...runShape, paths: flag});
	const [one, other] = [rulesOf(from, 'compare: from'), rulesOf(to, 'compare: to')];
	const families = one.families.filter(family => other.families.includes(family));
	if (families.length === 0) {
		throw new TestbedError('USAGE', {message: `There is nothing to compare: ${one.source} covers ${one.families.join(' and ')}, but ${other.source} covers ${other.families.join(' and ')}.`});
	}

	return compareInputs({
		...choicesOf(one, choices), from: one, to: other, families, arePathsCompared: paths,
	});
}

/**
Records what rules do with every packet class, to check rules against later; `printBaseline` returns the text of a baseline file.

@throws {TestbedError} ACTOR_FAILED if evidence was lost, and as {@link openSandbox}.
*/
export async function createBaseline(...given: readonly [rules?: string | LoadedRules, choices?: BaselineChoices]): Promise<Baseline> {
	const {scenarios = [], ...choices} = checked(given[1], 'createBaseline: choices', {...runShape, scenarios: anyOf(someText, 'files')});
	const loaded = rulesOrDefault(given, 'createBaseline: rules');
	const {baseline, lost} = await recordBaseline({
		...choicesOf(loaded, choices), rules: loaded, families: loaded.families, scenarios, request: loaded.request,
	});
	if (lost.length > 0) {
		throw new TestbedError('ACTOR_FAILED', {message: `Nothing was recorded because evidence is missing: ${lost.map(({message}) => message).join(' ')}`});
	}

	return baseline;
}

/**
Checks rules against a baseline, or a baseline file. `verificationOutcome(report)` is `same`, `moved` or `inconclusive`.

@throws {TestbedError} INPUT for a baseline that is damaged or newer, and as {@link openSandbox}.
*/
export async function checkBaseline(baseline: string | Baseline, rules: string | LoadedRules, given?: CheckChoices): Promise<VerificationReport> {
	const {stopsOnly = false, families, proxy, ...choices} = checked(given, 'checkBaseline: choices', {...runShape, stopsOnly: flag, families: someFamilies});
	const whole = baselineFrom(baseline);
	const unrecorded = families?.find(family => !whole.rules.families.includes(family));
	if (unrecorded !== undefined) {
		throw badArgument('checkBaseline: choices.families', families, `${unrecorded} is not recorded`);
	}

	const recorded = families === undefined ? whole : baselineOf(whole, families);
	const loaded = rulesOf(rules, 'checkBaseline: rules');
	const missing = recorded.rules.families.filter(family => !loaded.families.includes(family));
	if (missing.length > 0) {
		throw new TestbedError('USAGE', {message: `The baseline covers ${recorded.rules.families.join(' and ')}, but ${loaded.source} has no ${missing.join(' or ')} rules.`, hint: 'Restrict the families, for example: {families: [\'ipv4\']}'});
	}

	return verifyBaseline({
		...choicesOf(loaded, {proxy: proxy ?? recorded.proxy, ...choices}), file: typeof baseline === 'string' ? baseline : 'the baseline', baseline: recorded, rules: loaded, areRolesCompared: !stopsOnly,
	});
}

/** Divides all packets of a family into the classes that these rule sets can distinguish. Does not use the kernel. */
export function classesOf(rules: ReadonlyArray<string | LoadedRules>, given?: {readonly family?: AddressFamily}): ClassSet {
	const {family = 'ipv4'} = checked(given, 'classesOf: choices', {family: oneFamily});
	if (!Array.isArray(rules) || rules.length === 0) {
		throw badArgument('classesOf: rules', rules, 'expected a list of at least one rule set');
	}

	const loaded = (rules as readonly unknown[]).map((each, index) => rulesOf(each, `classesOf: rules[${index}]`));
	return classify(loaded.map(each => programOf(each, family)), {family, topology: defaultTopology});
}

/** The options of a call, checked; empty if none were given. */
function checked<Choices extends object>(choices: Choices | undefined, name: string, shape: ShapeOf<Choices>): Partial<Choices> {
	if (choices === undefined) {
		return {};
	}

	checkOptions<Choices>(choices, name, shape);
	return choices;
}

/** A baseline, or the one in a file. A baseline object is validated like a file. */
function baselineFrom(baseline: unknown): Baseline {
	if (typeof baseline === 'string') {
		return loadBaseline(baseline);
	}

	if (typeof baseline !== 'object' || baseline === null) {
		throw badArgument('checkBaseline: baseline', baseline, 'expected a file name, or the result of createBaseline');
	}

	try {
		return parseBaseline(printBaseline(baseline as Baseline));
	} catch (error) {
		// Another object fails before it is checked, with a message about our code.
		throw new TestbedError('USAGE', {message: `checkBaseline: baseline is not a result of createBaseline${error instanceof InputError ? `: ${error.message}` : '.'}`, state: 'Nothing was done.', cause: error});
	}
}
