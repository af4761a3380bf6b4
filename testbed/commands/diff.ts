/**
`testbed diff`: which traffic moved between two rule sets.
*/

import process from 'node:process';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {comparisonToJson} from '../../src/report/comparison-json.js';
import {printComparison} from '../../src/report/comparison-text.js';
import {comparisonExitCode} from '../../src/report/comparison-types.js';
import {compareInputs} from '../compare.js';
import {TestbedError} from '../errors.js';
import {loadRuleInput} from '../rule-input.js';
import {wantsColour} from './colour.js';
import {usualCredentials} from './probe.js';
import {Progress} from './progress.js';
import {untilSignal} from './run.js';
import {writeOut} from './stdout.js';

/** The options as the command line gives them. */
export type DiffFlags = {
	readonly from6?: string;
	readonly to6?: string;
	readonly backend?: readonly Backend[];
	readonly family: readonly AddressFamily[];
	readonly paths?: boolean;
	readonly dnsServers?: readonly string[];
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly format: 'text' | 'json';
	readonly verbose?: boolean;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/**
Compares on the kernel and prints; returns the exit status.

@throws {TestbedError} USAGE or INPUT for an operand, and all that a batch of probes throws.
*/
export async function diffCommand(operands: {readonly from: string; readonly to: string}, flags: DiffFlags): Promise<number> {
	const {family: families, dnsServers, backend: backends = [], proxyUid, proxyGid} = flags;
	const [first, second = first, ...others] = backends;
	if (others.length > 0) {
		throw new TestbedError('USAGE', {message: `A comparison has two sides, and --backend names ${backends.length} back ends.`, hint: 'One is for both sides; two are for one each.'});
	}

	if (operands.from === '-' && operands.to === '-') {
		throw new TestbedError('USAGE', {message: 'Both sides would be read from standard input.', hint: 'Put one of the two into a file.'});
	}

	const load = (source: string, source6: string | undefined, backend: Backend | undefined) => loadRuleInput({
		source, source6, families, dnsServers, ...(backend === undefined ? {} : {backend}),
	});
	const from = load(operands.from, flags.from6, first);
	const to = load(operands.to, flags.to6, second);
	const readWith = (source6: string | undefined): readonly string[] => [...(source6 === undefined ? [] : ['--rules6', source6]), ...(dnsServers === undefined ? [] : ['--dns-servers', dnsServers.join(',')])];
	const report = await untilSignal(async signal => {
		using progress = new Progress(text => {
			process.stderr.write(text);
		});
		const compared = await compareInputs({
			from,
			to,
			families,
			credentials: usualCredentials({...(proxyUid === undefined ? {} : {proxyUid}), ...(proxyGid === undefined ? {} : {proxyGid})}, from.intent, from.proxy),
			arePathsCompared: flags.paths === true,
			readWith: {from: readWith(flags.from6), to: readWith(flags.to6)},
			timeoutMs: flags.timeout,
			traceBufferBytes: flags.traceBuffer,
			signal,
			onStage(stage) {
				progress.stage(stage);
			},
		});
		return compared;
	});
	await writeOut(flags.format === 'json'
		? `${JSON.stringify(comparisonToJson(report), undefined, 2)}\n`
		: printComparison(report, {
			colour: wantsColour({isTerminal: process.stdout.isTTY, environment: process.env}),
			verbose: flags.verbose === true,
			width: Math.max(60, Math.min(process.stdout.columns ?? 80, 100)),
		}));
	return comparisonExitCode(report);
}
