/**
`testbed run`: the six types.
*/

import {backends, type AddressFamily, type Backend} from '../../../src/netfilter/types.js';
import {exitStatusOfRun} from '../../../src/report/run/summary.js';
import {exitStatusOfRuns, type RunEntry, type Runs} from '../../../src/report/run/many.js';
import {defaultTypeIds} from '../../../src/scenario/six-types.js';
import type {TypeId} from '../../../src/scenario/types.js';
import {TestbedError} from '../../errors.js';
import type {RuleInput} from '../../inputs/types.js';
import type {RunOptions} from '../../run/options.js';
import {Recorder} from '../../recording/recorder.js';
import {defaultInput, type MissingInput} from '../../inputs/request.js';
import {loadRuleInputs} from '../../inputs/rules.js';
import {runMany} from '../../run/run-many.js';
import {runTestbed} from '../../run/run.js';
import {tell} from '../../system/streams.js';
import {checkOutputFlags, ruleFiles} from '../output/output-files.js';
import {writeReport, writeRuns, type PrintFlags} from '../output/write-runs.js';
import {supervise, type Supervision} from '../supervise.js';
import {credentialsOf, type CredentialFlags} from '../../inputs/credentials.js';

/** The options as the command line gives them. */
export type RunFlags = PrintFlags & CredentialFlags & {
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
	readonly keep?: boolean;
	readonly timeout: number;
	readonly traceBuffer: number;
	readonly jobs: number;
};

/** Runs and prints; returns the exit status. */
export async function runCommand(flags: RunFlags): Promise<number> {
	checkOutputFlags(flags, ruleFiles([['--rules', flags.rules], ['--rules6', flags.rules6]]));
	const {inputs, missing} = loadRuleInputs({
		source: flags.rules ?? defaultInput, source6: flags.rules6, families: flags.family, backends: flags.backend, dnsServers: flags.dnsServers, cni: flags.cni, release: flags.release,
		allowModules: flags.allowModules,
	});
	return supervise(async supervision => runInputs({inputs, missing, supervision}, flags));
}

async function runInputs({inputs, missing, supervision}: {
	readonly inputs: readonly RuleInput[]; readonly missing: readonly MissingInput[]; readonly supervision: Supervision;
}, flags: RunFlags): Promise<number> {
	const optionsFor = (rules: RuleInput): RunOptions => ({
		...optionsOf(rules, {
			flags, supervision, isAlone: inputs.length === 1,
		}),
		families: flags.family,
		types: flags.types ?? defaultTypeIds,
	});
	return runAndPrint({inputs: inputs.map(input => optionsFor(input)), missing}, {flags, supervision});
}

/** What the command line says of every run, whatever it plays. A run that is one of many does not tell its stages. */
export function optionsOf(rules: RuleInput, {flags, supervision: {signal, onProgress}, isAlone}: {
	readonly flags: RunFlags; readonly supervision: Supervision; readonly isAlone: boolean;
}): Omit<RunOptions, 'families' | 'types'> {
	return {
		rules,
		credentials: credentialsOf(flags, rules.intent, rules.proxy),
		timeoutMs: flags.timeout,
		traceBufferBytes: flags.traceBuffer,
		keep: flags.keep === true,
		signal,
		onProgress: isAlone ? onProgress : () => undefined,
	};
}

/** Plays one set of rules, or many, prints what came of it, and returns the exit status. */
export async function runAndPrint({inputs, missing}: {readonly inputs: readonly RunOptions[]; readonly missing: readonly MissingRun[]}, {flags, supervision}: {
	readonly flags: RunFlags; readonly supervision: Supervision;
}): Promise<number> {
	const recorder = flags.record === undefined ? undefined : Recorder.create(flags.record);
	const [only] = inputs;
	if (only !== undefined && inputs.length === 1 && missing.length === 0) {
		const {report, evidence, kept} = await runTestbed(only);
		await writeReport(report, flags);
		recorder?.note(report, evidence);
		await recorder?.writeRun(report);
		if (kept.length > 0) {
			tell(`${kept.join('\n')}\n`);
		}

		return exitStatusOfRun(report);
	}

	const runs = await runAll({
		inputs, missing, jobs: flags.jobs, onProgress: supervision.onProgress, recorder,
	});
	await writeRuns(runs, flags);
	await recorder?.writeRuns(runs);
	return exitStatusOfRuns(runs);
}

/** A run that was asked for and cannot be. */
export type MissingRun = Omit<MissingInput, 'release'> & {readonly release: string | null; readonly scenario?: string};

async function runAll({inputs, missing, jobs, onProgress, recorder}: {
	readonly inputs: readonly RunOptions[]; readonly missing: readonly MissingRun[]; readonly jobs: number; readonly onProgress: Supervision['onProgress']; readonly recorder: Recorder | undefined;
}): Promise<Runs> {
	if (inputs.some(({keep}) => keep)) {
		throw new TestbedError('USAGE', {message: '--keep works with a single run, and this command line asks for several.', hint: 'Name one release and one back end.'});
	}

	const startedAt = performance.now();
	let ended = 0;
	const what = inputs.some(({scenario}) => scenario !== undefined) ? 'scenarios' : 'rule sets';
	onProgress(`running ${inputs.length} ${what}`);
	const entries = await runMany(inputs, {
		jobs,
		onEvidence(report, evidence) {
			recorder?.note(report, evidence);
		},
		onEntry({release, source, backend, scenario}) {
			onProgress(`${++ended} of ${inputs.length}: ${scenario ?? release ?? source} ${backend}`);
		},
	});
	const all = [...missing.map((entry): RunEntry => ({...entry, kind: 'unavailable'})), ...entries];
	return {
		// Scenarios by their names, each with its back ends side by side.
		entries: all.toSorted((one, other) => one.scenario === undefined || other.scenario === undefined
			? 0
			: one.scenario.localeCompare(other.scenario) || backends.indexOf(one.backend) - backends.indexOf(other.backend)),
		durationMs: Math.round(performance.now() - startedAt),
	};
}
