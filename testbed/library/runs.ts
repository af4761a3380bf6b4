/**
Whole runs for the library: the six types, comparisons, baselines, classes.
*/

import {baselineOf, type Baseline} from '../../src/classes/baseline.js';
import {classify, type ClassSet} from '../../src/classes/classes.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ComparisonReport} from '../../src/report/comparison-types.js';
import type {VerificationReport} from '../../src/report/verification-types.js';
import type {Report} from '../../src/report/types.js';
import {defaultTypeIds} from '../../src/scenario/six-types.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import type {ActorCredentials, Credentials, TypeId} from '../../src/scenario/types.js';
import {loadBaseline} from '../baseline-store.js';
import {programOf} from '../class-run.js';
import {usualCredentials} from '../commands/probe.js';
import {compareInputs} from '../compare.js';
import {TestbedError} from '../errors.js';
import {recordBaseline} from '../record.js';
import {runTestbed} from '../run.js';
import {defaultBufferBytes} from '../tracer/recording.js';
import {verifyBaseline} from '../verify.js';
import {rulesOf, type LoadedRules} from './rules.js';

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
export type RecordChoices = RunChoices & {readonly scenarios?: readonly string[]};

/** What a verification can be given. `stopsOnly`: the roles of rules do not count. `families`: all of the baseline, unless given. */
export type VerifyChoices = RunChoices & {readonly stopsOnly?: boolean; readonly families?: readonly AddressFamily[]};

type Chosen = {readonly credentials: ActorCredentials; readonly timeoutMs: number; readonly traceBufferBytes: number; readonly signal: AbortSignal; readonly onStage: () => undefined};

/** All choices with their defaults. */
export function choicesOf({intent, proxy: known}: LoadedRules, {proxy, timeoutMs = 5000, traceBufferBytes = defaultBufferBytes, signal = new AbortController().signal}: RunChoices): Chosen {
	return {
		credentials: usualCredentials(proxy === undefined ? {} : {proxyUid: proxy.uid, proxyGid: proxy.gid}, intent, known), timeoutMs, traceBufferBytes, signal, onStage: () => undefined,
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
export async function runTypes(rules?: string | LoadedRules, {types = defaultTypeIds, ...choices}: TypesChoices = {}): Promise<Report> {
	const loaded = rulesOf(rules);
	const {report} = await runTestbed({
		...choicesOf(loaded, choices), rules: loaded, families: loaded.families, types, keep: false,
	});
	return report;
}

/**
Tells which traffic goes another way by one rule set than by the other, for every class of packets. `outcome` is `equal`, `moved`, or `inconclusive`: nothing moved, but not all is known (`gaps`).

```
const {outcome, statements} = await compare('release:1.30', parseRules(ours));
```

@throws {TestbedError} USAGE when the two have no family in common, and as {@link openSandbox}.
*/
export async function compare(from: string | LoadedRules, to: string | LoadedRules, {paths = false, ...choices}: CompareChoices = {}): Promise<ComparisonReport> {
	const [one, other] = [rulesOf(from), rulesOf(to)];
	const families = one.families.filter(family => other.families.includes(family));
	if (families.length === 0) {
		throw new TestbedError('USAGE', {message: `${one.source} is of ${one.families.join(' and ')}, and ${other.source} of ${other.families.join(' and ')}: there is nothing to compare.`});
	}

	return compareInputs({
		...choicesOf(one, choices), from: one, to: other, families, arePathsCompared: paths,
	});
}

/**
Records what rules do with every class of packets, to verify it later; `printBaseline` makes the file's text.

@throws {TestbedError} ACTOR_FAILED when evidence was lost, and as {@link openSandbox}.
*/
export async function record(rules?: string | LoadedRules, {scenarios = [], ...choices}: RecordChoices = {}): Promise<Baseline> {
	const loaded = rulesOf(rules);
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
export async function verify(baseline: string | Baseline, rules: string | LoadedRules, {stopsOnly = false, families, proxy, ...choices}: VerifyChoices = {}): Promise<VerificationReport> {
	const whole = typeof baseline === 'string' ? loadBaseline(baseline) : baseline;
	const recorded = families === undefined ? whole : baselineOf(whole, families);
	const loaded = rulesOf(rules);
	const missing = recorded.rules.families.filter(family => !loaded.families.includes(family));
	if (missing.length > 0) {
		throw new TestbedError('USAGE', {message: `The baseline is of ${recorded.rules.families.join(' and ')}, and ${loaded.source} has no rules of ${missing.join(' and ')}.`, hint: 'Choose: {families: [\'ipv4\']}.'});
	}

	return verifyBaseline({
		...choicesOf(loaded, {proxy: proxy ?? recorded.proxy, ...choices}), file: typeof baseline === 'string' ? baseline : 'the baseline', baseline: recorded, rules: loaded, areRolesCompared: !stopsOnly,
	});
}

/** Cuts all packets of a family into the classes that these rule sets can tell apart. The kernel is not asked. */
export function classesOf(rules: ReadonlyArray<string | LoadedRules>, {family = 'ipv4'}: {readonly family?: AddressFamily} = {}): ClassSet {
	return classify(rules.map(each => programOf(rulesOf(each), family)), {family, topology: defaultTopology});
}
