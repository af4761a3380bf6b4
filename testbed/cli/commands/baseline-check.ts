/**
`testbed baseline check`: whether a rule set still does what a baseline says.
*/

import {baselineOf, type Baseline} from '../../../src/baseline/baseline.js';
import {resultsOfVerification} from '../../../src/report/verification/results.js';
import {verificationToJson} from '../../../src/report/verification/json.js';
import {printVerification} from '../../../src/report/verification/text.js';
import {exitStatusOfVerification} from '../../../src/report/verification/types.js';
import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import {loadBaseline, saveBaseline} from '../../analysis/baseline-file.js';
import {TestbedError} from '../../errors.js';
import type {RuleInput} from '../../inputs/types.js';
import {recordBaseline, type RecordOptions} from '../../analysis/record-baseline.js';
import {loadRuleInput} from '../../inputs/rules.js';
import {verifyBaseline} from '../../analysis/verify-baseline.js';
import {tell} from '../../system/streams.js';
import type {Format} from '../parsers.js';
import {readerOf} from '../output/terminal.js';
import {writeFormatted} from '../output/write-report.js';
import {checkOutputFlags, ruleFiles} from '../output/output-files.js';
import {usualCredentials} from '../../inputs/credentials.js';
import {supervise} from '../supervise.js';
import {describeRecording, exitStatusOfRecording} from './baseline-create.js';

/** The options as the command line gives them. */
export type VerifyFlags = {
	readonly rules6?: string;
	readonly backend?: Backend;
	readonly family?: readonly AddressFamily[];
	readonly dnsServers?: readonly string[];
	readonly allowModules?: boolean;
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly stopsOnly?: boolean;
	readonly update?: boolean;
	readonly format: Format;
	readonly output?: string;
	readonly verbose?: boolean;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/**
Verifies and prints; returns the exit status. With `--update` the file is written anew behind that, and the status says whether it is whole.

@throws {TestbedError} INPUT for the baseline or the input, USAGE where one of them is not there, and all that a verification throws.
*/
export async function verifyCommand(file: string, input: string | undefined, flags: VerifyFlags): Promise<number> {
	if (file === '-' && (input === '-' || flags.update === true)) {
		throw new TestbedError('USAGE', {message: input === '-' ? 'Baseline and rules would both be read from standard input.' : '--update cannot write a baseline that comes from standard input.', hint: 'Put the baseline into a file.'});
	}

	const read = ruleFiles([['the input', input], ['--rules6', flags.rules6]]);
	checkOutputFlags(flags, flags.update === true ? read : [...read, {name: 'the baseline', file}], flags.update === true ? [{name: '--update', what: 'The baseline', file}] : []);
	const baseline = chosenPart(loadBaseline(file), {file, flags});
	const {rules, request} = loadRules(baseline, {file, input, flags});
	const {proxy} = baseline;
	const options = {
		credentials: usualCredentials({proxyUid: flags.proxyUid ?? proxy.uid, proxyGid: flags.proxyGid ?? flags.proxyUid ?? proxy.gid}, rules.intent, rules.proxy),
		timeoutMs: flags.timeout,
		traceBufferBytes: flags.traceBuffer,
	};
	return supervise(async supervision => {
		const shared = {...options, ...supervision};
		const report = await verifyBaseline({
			...shared, file, baseline, rules, areRolesCompared: flags.stopsOnly !== true,
		});
		await writeFormatted({
			text: () => printVerification(report, readerOf(flags)),
			json: () => verificationToJson(report),
			results: () => resultsOfVerification(report),
		}, flags);
		if (flags.update !== true) {
			return exitStatusOfVerification(report);
		}

		const recording = await recordBaseline({
			...shared, rules, request, families: baseline.rules.families, scenarios: [...new Set(baseline.cases.map(({of}) => of))].filter(of => of !== 'types'),
		});
		if (recording.lost.length === 0) {
			await saveBaseline(file, recording.baseline);
		}

		tell(describeRecording(recording, file));
		return exitStatusOfRecording(recording);
	});
}

/** The families asked for; all of the baseline unless any is. */
function chosenPart(baseline: Baseline, {file, flags: {family: families, update}}: {readonly file: string; readonly flags: VerifyFlags}): Baseline {
	const {families: known} = baseline.rules;
	const missing = families?.find(family => !known.includes(family));
	if (missing !== undefined) {
		throw new TestbedError('USAGE', {message: `${file} covers ${known.join(' and ')} and has no ${missing}.`});
	}

	if (families === undefined || families.length === known.length) {
		return baseline;
	}

	if (update === true) {
		throw new TestbedError('USAGE', {message: `--update would leave ${known.filter(family => !families.includes(family)).join(' and ')} out of ${file}.`, hint: 'Leave --family out, or create a new baseline: testbed baseline create --family …'});
	}

	return baselineOf(baseline, families);
}

type Loaded = {readonly rules: RuleInput; readonly request: RecordOptions['request']};

/** The input, or what the baseline was recorded from. */
function loadRules({rules: {source, source6, dnsServers, backend, families}}: Baseline, {file, input, flags}: {
	readonly file: string; readonly input: string | undefined; readonly flags: VerifyFlags;
}): Loaded {
	if (input === undefined && (source === '-' || source6 === '-')) {
		throw new TestbedError('USAGE', {message: `${file} was created from standard input, so it does not say where its rules are.`, hint: `Name them: testbed baseline check ${file} RULES`});
	}

	const request = {source6: flags.rules6 ?? (input === undefined ? source6 ?? undefined : undefined), dnsServers: flags.dnsServers ?? dnsServers ?? undefined};
	const wanted = flags.backend ?? (input === undefined ? backend : undefined);
	return {
		rules: loadRuleInput({
			source: input ?? source, ...request, families, allowModules: flags.allowModules, ...(wanted === undefined ? {} : {backend: wanted}),
		}),
		request,
	};
}
