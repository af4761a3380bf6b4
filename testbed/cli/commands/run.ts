/**
`testbed run`: the six types.
*/

import {defaultBackend} from '../../../src/netfilter/backends.js';
import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import type {NamedConnection} from '../../../src/report/pcap/annotate.js';
import type {Report} from '../../../src/report/run/types.js';
import {exitStatusOfRun, summarize} from '../../../src/report/run/summary.js';
import {exitStatusOfRuns, summarizeRuns, type Runs} from '../../../src/report/run/many.js';
import type {TypeId} from '../../../src/mesh/traffic.js';
import {defaultTopology} from '../../../src/mesh/topology.js';
import {findProxy} from '../../actors/proxies.js';
import {
	otherProxies, type OtherProxy, type Proxy, type ProxyName,
} from '../../actors/proxy.js';
import {TestbedError} from '../../errors.js';
import type {RuleInput} from '../../inputs/types.js';
import type {RunOptions} from '../../run/options.js';
import {Recorder} from '../../recording/recorder.js';
import {defaultInput, type MissingInput} from '../../inputs/request.js';
import {loadRuleInputs} from '../../inputs/rules.js';
import {printKept} from '../../kept/describe.js';
import {runAndKeep} from '../../kept/keep.js';
import {prepareRun} from '../../run/prepare.js';
import {runMany} from '../../run/run-many.js';
import {runTestbed} from '../../run/run.js';
import {shareActors} from '../../run/share-actors.js';
import {programName} from '../../system/program-name.js';
import {tell} from '../../system/streams.js';
import type {CapturedPackets} from '../../tracer/packet-capture.js';
import {pcapOutput, writePcap} from '../output/write-pcap.js';
import {checkDrawable} from '../output/draw-one.js';
import {checkOutputFlags, ruleFiles} from '../output/output-files.js';
import type {PrintFlags} from '../output/destinations.js';
import {
	Checks, isLeftUnread, refuseWithCheck, type CheckFlags,
} from '../check/checks.js';
import {endCheck, namesOf, unreadPod} from '../check/plan.js';
import {planOfRun} from '../check/plan-run.js';
import type {Rounds} from '../watch/rounds.js';
import type {WatchFlags} from '../watch/watch.js';
import {writeReport, writeRuns} from '../output/write-runs.js';
import {supervise, type Supervision} from '../supervise.js';
import type {ShardFlags, ShardRequest} from '../../shards/request.js';
import {credentialsOf, type CredentialFlags} from '../../inputs/credentials.js';
import {playersOf} from '../../inputs/players.js';
import {typesFor} from '../../inputs/mesh-of-rules.js';
import {changedRuns, nameOfRun} from './changed-runs.js';
import {arrangeEntries, type MissingRun} from './run-entries.js';
import {runShard, shardedRun} from './run-shard.js';
import {
	countCases, listCases, refuseWithList, selectCases, type SelectedRuns,
} from './select-cases.js';
import {shardFiles, shardOf} from './shard-flags.js';

/** The options as the command line gives them. */
export type RunFlags = PrintFlags & CheckFlags & WatchFlags & CredentialFlags & ShardFlags & Readonly<Partial<Record<OtherProxy, string>>> & {
	readonly rules?: string;
	readonly rules6?: string;
	readonly backend?: readonly Backend[];
	readonly family: readonly AddressFamily[];
	readonly dnsServers?: readonly string[];
	readonly allowModules?: boolean;
	readonly allowOutside?: boolean;
	readonly cni?: boolean;
	readonly release?: string;
	readonly types?: readonly TypeId[];
	readonly record?: string;
	readonly pcap?: string;
	readonly keep?: boolean;
	readonly keepFor?: number;
	readonly proxy: ProxyName;
	readonly timeout: number;
	readonly traceBuffer: number;
	readonly jobs: number;
	readonly list?: boolean;
	readonly filter?: string;
	readonly bail?: boolean;
};

/** Runs and prints; returns the exit status. With `rounds`, it is a round of `--watch`. */
export async function runCommand(flags: RunFlags, rounds?: Rounds): Promise<number> {
	refuseWithList(flags);
	refuseWithCheck(flags);
	const checks = new Checks(flags);
	const source = flags.rules ?? defaultInput;
	const shard = shardOfRun(flags);
	const {inputs: read, outputs} = shardFiles(shard);
	checks.do(() => {
		checkOutputFlags(flags, [...ruleFiles([['--rules', flags.rules], ['--rules6', flags.rules6]]), ...read], [...pcapOutput(flags.pcap), ...outputs]);
	});
	const proxy = await checks.wait(async () => chooseProxy(flags));
	const isUnread = checks.do(() => isLeftUnread(source, checks));
	if (!checks.isOnly && flags.list !== true) {
		prepareRun(flags.backend?.[0] ?? defaultBackend);
	}

	const loaded = isUnread === true
		? undefined
		: checks.do(() => loadRuleInputs({
			source, source6: flags.rules6, families: flags.family, backends: flags.backend, dnsServers: flags.dnsServers, cni: flags.cni, release: flags.release,
			allowModules: flags.allowModules,
		}));
	checks.end();
	if (loaded === undefined) {
		return endCheck({command: 'run', rows: [['rule sets', `1: ${source}`], ['families', namesOf(flags.family)]], unknown: [unreadPod(source)]});
	}

	return supervise(async supervision => runInputs({
		...loaded, shard, supervision, proxy, rounds,
	}, flags));
}

/**
The requested shard of a run.

@throws {TestbedError} USAGE for shard options that do not go together, and for options that are for a single run.
*/
export function shardOfRun(flags: RunFlags): ShardRequest | undefined {
	return shardOf(flags, ['pcap', 'keep', 'keepFor', 'bail']);
}

/**
The program that is to be the proxy; undefined for the stub.

@throws {TestbedError} USAGE for options that cannot go together; as `findProxy` does.
*/
export async function chooseProxy(flags: Pick<RunFlags, 'proxy' | OtherProxy | 'keep' | 'keepFor'>): Promise<Proxy | undefined> {
	const {proxy} = flags;
	const misplaced = otherProxies.find(name => name !== proxy && flags[name] !== undefined);
	if (misplaced !== undefined) {
		throw new TestbedError('USAGE', {
			message: `--${misplaced} names the program for --proxy ${misplaced}, and the proxy is ${proxy === 'stub' ? 'the stub' : proxy} here.`, hint: `Add --proxy ${misplaced}, or omit --${misplaced}.`,
		});
	}

	if (proxy === 'stub') {
		return undefined;
	}

	if (isKept(flags)) {
		throw new TestbedError('USAGE', {message: `--keep keeps the listeners of the stub, and cannot keep those of ${proxy}.`, hint: `Omit --keep, or --proxy ${proxy}.`});
	}

	return findProxy(proxy, flags[proxy]);
}

async function runInputs({inputs, missing, shard, supervision, proxy, rounds}: {
	readonly inputs: readonly RuleInput[]; readonly missing: readonly MissingInput[]; readonly shard: ShardRequest | undefined; readonly supervision: Supervision; readonly proxy: Proxy | undefined;
	readonly rounds: Rounds | undefined;
}, flags: RunFlags): Promise<number> {
	const optionsFor = (rules: RuleInput): RunOptions => ({
		...optionsOf(rules, {
			flags, supervision, proxy, isAlone: inputs.length === 1,
		}),
		families: flags.family,
		types: typesFor(rules.mesh, flags.types),
	});
	return selectAndRun({inputs: inputs.map(input => optionsFor(input)), missing}, {
		flags, shard, supervision, rounds,
	});
}

/** The options that every run takes from the command line, whatever it sends. A run that is one of many reports no progress of its own. */
export function optionsOf(rules: RuleInput, {flags, supervision: {signal, onProgress}, proxy, isAlone}: {
	readonly flags: RunFlags; readonly supervision: Supervision; readonly proxy: Proxy | undefined; readonly isAlone: boolean;
}): Omit<RunOptions, 'families' | 'types'> {
	return {
		rules,
		...playersOf(rules, credentialsOf(flags, rules.intent, rules)),
		proxy,
		timeoutMs: flags.timeout,
		traceBufferBytes: flags.traceBuffer,
		signal,
		onProgress: isAlone ? onProgress : () => undefined,
	};
}

/** What is done with the runs of a command line. `scenarios` are its operands. */
type Doing = {readonly flags: RunFlags; readonly shard: ShardRequest | undefined; readonly supervision: Supervision; readonly scenarios?: readonly string[]; readonly rounds?: Rounds | undefined};

/** Lists or runs the cases that `--filter` chooses, and returns the exit status. */
export async function selectAndRun(runs: SelectedRuns, doing: Doing): Promise<number> {
	const {flags} = doing;
	const chosen = selectCases(runs, flags.filter);
	const selected = doing.rounds === undefined ? chosen : changedRuns(chosen, doing.rounds);
	if (selected === undefined) {
		return 0;
	}

	if (flags.list === true) {
		return listCases(selected);
	}

	const checks = new Checks(flags);
	checks.do(() => {
		checkDrawable(flags, countCases(selected.inputs) + selected.missing.length);
	});
	checks.do(() => {
		refuseForMany(selected, flags);
	});
	checks.end();
	if (checks.isOnly) {
		return endCheck(planOfRun(selected));
	}

	return runAndPrint({...selected, inputs: shareActors(selected.inputs)}, doing);
}

/** Runs one rule set or many, or a shard of them, prints the results, and returns the exit status. */
async function runAndPrint({inputs, missing}: SelectedRuns, {flags, shard, supervision, scenarios = [], rounds}: Doing): Promise<number> {
	const recorder = recorderOf(flags);
	if (shard !== undefined) {
		return runShard(shardedRun({inputs, missing}, scenarios), shard, {flags, supervision, recorder});
	}

	const [only] = inputs;
	if (only !== undefined && inputs.length === 1 && missing.length === 0) {
		let captured: CapturedPackets | undefined;
		const options: RunOptions = {
			...only,
			isRecorded: recorder !== undefined,
			...(flags.pcap === undefined
				? {}
				: {
					onCapture(packets) {
						captured = packets;
					},
				}),
		};
		const {report, evidence, kept} = isKept(flags) ? await runAndKeep(options, {keepForMs: flags.keepFor}) : {...await runTestbed(options), kept: undefined};
		await writeReport(report, flags);
		rounds?.note(nameOfRun(only), summarize(report));
		if (flags.pcap !== undefined) {
			await writePcap(flags.pcap, captured, {connections: connectionsOf(report, only), about: `${report.rules.source}, ${report.rules.backend}`});
		}

		recorder?.note(report, evidence);
		await recorder?.writeRun(report);
		if (kept !== undefined) {
			tell(`${printKept(kept, {testbed: programName(), backend: only.rules.backend, topology: only.rules.topology ?? defaultTopology, keepForMs: flags.keepFor})}\n`);
		}

		return exitStatusOfRun(report);
	}

	const runs = await runAll({
		inputs, missing, jobs: flags.jobs, bail: flags.bail, onProgress: supervision.onProgress, recorder, rounds,
	});
	await writeRuns(runs, flags);
	await recorder?.writeRuns(runs);
	return exitStatusOfRuns(runs);
}

/** What writes the recording, if one is asked for. */
export function recorderOf({record}: Pick<RunFlags, 'record'>): Recorder | undefined {
	return record === undefined ? undefined : Recorder.create(record);
}

/** @throws {TestbedError} USAGE for options that are for a single run, if there are several. */
function refuseForMany({inputs, missing}: SelectedRuns, flags: RunFlags): void {
	const single = flags.pcap === undefined ? (isKept(flags) ? '--keep' : undefined) : '--pcap';
	if (single !== undefined && inputs.length + missing.length !== 1) {
		throw new TestbedError('USAGE', {message: `${single} works with a single run only, and this command line asks for several.`, hint: `Name one release and one back end${single === '--pcap' ? ', or one scenario' : ''}.`});
	}
}

/** The connections of a report, named as in the report. */
function connectionsOf({types}: Report, {scenario}: RunOptions): readonly NamedConnection[] {
	return types.map(({id, name, family, legs}) => ({name: `${scenario === undefined ? 'type' : 'probe'} ${id} ${name}, ${family}`, legs}));
}

function isKept({keep, keepFor}: Pick<RunFlags, 'keep' | 'keepFor'>): boolean {
	return keep === true || keepFor !== undefined;
}

async function runAll({inputs, missing, jobs, bail, onProgress, recorder, rounds}: {
	readonly inputs: readonly RunOptions[]; readonly missing: readonly MissingRun[]; readonly jobs: number; readonly bail: boolean | undefined; readonly onProgress: Supervision['onProgress']; readonly recorder: Recorder | undefined;
	readonly rounds: Rounds | undefined;
}): Promise<Runs> {
	const startedAt = performance.now();
	let ended = 0;
	const what = inputs.some(({scenario}) => scenario !== undefined) ? 'scenarios' : 'rule sets';
	onProgress(`running ${inputs.length} ${what}`);
	const entries = await runMany(inputs, {
		jobs,
		bail,
		onEvidence: recorder === undefined
			? undefined
			: (report, evidence) => {
				recorder.note(report, evidence);
			},
		onEntry({release, source, backend, scenario}) {
			onProgress(`${++ended} of ${inputs.length}: ${scenario ?? release ?? source} ${backend}`);
		},
	});
	for (const [place, entry] of entries.entries()) {
		rounds?.note(nameOfRun(inputs[place]!), summarizeRuns({entries: [entry], durationMs: 0}));
	}

	return {entries: arrangeEntries(missing, entries), durationMs: Math.round(performance.now() - startedAt)};
}
