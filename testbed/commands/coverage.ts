/**
`testbed coverage`: which rules the tests reach, and which nothing can reach.
*/

import process from 'node:process';
import {coverageToJson, resultsOfCoverage} from '../../src/report/coverage-json.js';
import {printCoverage} from '../../src/report/coverage-text.js';
import {coverageExitCode} from '../../src/report/coverage-types.js';
import {coverInput} from '../coverage.js';
import {TestbedError} from '../errors.js';
import type {CaseOptions} from '../mutation-cases.js';
import {defaultInput} from '../rule-input.js';
import type {CredentialsOf} from '../scenario-run.js';
import type {Format} from './arguments.js';
import {casesOf, loadCasesInput, type InputFlags} from './case-sets.js';
import {wantsColour} from './colour.js';
import {writeFormatted} from './formatted.js';
import {usualCredentials} from './probe.js';
import {Progress} from './progress.js';
import {untilSignal} from './run.js';

/** The options as the command line gives them. */
export type CoverageFlags = InputFlags & {
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly cases: readonly string[];
	readonly require: readonly string[];
	readonly format: Format;
	readonly output?: string;
	readonly verbose?: boolean;
	readonly lanes: number;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/**
Counts and prints; returns the exit status.

@throws {TestbedError} USAGE or INPUT for rules or cases that cannot be had, RULES_REJECTED when the kernel refuses the rules.
*/
export async function coverageCommand(source: string | undefined, flags: CoverageFlags): Promise<number> {
	const input = loadCasesInput(source ?? defaultInput, flags);
	const foreign = flags.require.find(name => name !== 'complete' && !flags.cases.includes(name));
	if (foreign !== undefined) {
		throw new TestbedError('USAGE', {message: `--require names ${foreign}, which is none of the cases that are played.`, hint: `Add it: --cases ${[...flags.cases, foreign].join(',')}`});
	}

	return untilSignal(async signal => {
		using progress = new Progress(text => {
			process.stderr.write(text);
		});
		const credentialsOf: CredentialsOf = (intent, known) => usualCredentials(flags, intent, known);
		const options: CaseOptions = {
			families: flags.family,
			credentials: credentialsOf(input.intent, input.proxy),
			timeoutMs: flags.timeout,
			traceBufferBytes: flags.traceBuffer,
			keep: false,
			signal,
			onStage: () => undefined,
		};
		const report = await coverInput({
			...options,
			input,
			cases: casesOf(flags.cases, input, {options, credentialsOf}),
			required: flags.require,
			lanes: flags.lanes,
			onStage(stage) {
				progress.stage(stage);
			},
		});
		await writeFormatted({
			text: () => printCoverage(report, {
				colour: wantsColour({isTerminal: flags.output === undefined && process.stdout.isTTY, environment: process.env}),
				verbose: flags.verbose === true,
				width: Math.max(60, Math.min(process.stdout.columns ?? 80, 100)),
			}),
			json: () => coverageToJson(report),
			results: () => resultsOfCoverage(report),
		}, flags);
		return coverageExitCode(report);
	});
}
