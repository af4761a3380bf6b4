/**
`testbed baseline check`: checks whether a rule set still behaves as its baseline says.
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
import {argumentOptions} from '../../inputs/request.js';
import {loadRuleInput} from '../../inputs/rules.js';
import {withRecordedPaths} from '../../analysis/recorded-paths.js';
import {verifyBaseline} from '../../analysis/verify-baseline.js';
import {tell} from '../../system/streams.js';
import {type PrintFlags, wantedReports} from '../output/destinations.js';
import {writeFormatted} from '../output/write-report.js';
import {checkOutputFlags, ruleFiles} from '../output/output-files.js';
import {usualCredentials} from '../../inputs/credentials.js';
import type {ActorCredentials} from '../../../src/mesh/traffic.js';
import {addressFamilies} from '../../../src/mesh/topology.js';
import {Checks, isLeftUnread, type CheckFlags} from '../check/checks.js';
import {checkBaselineCases} from '../check/plan-baseline.js';
import {supervise} from '../supervise.js';
import {commandLine} from '../../system/program-name.js';
import {describeRecording, exitStatusOfRecording} from './baseline-create.js';

/** The options as the command line gives them. */
export type VerifyFlags = PrintFlags & CheckFlags & {
	readonly rules6?: string;
	readonly backend?: Backend;
	readonly family?: readonly AddressFamily[];
	readonly dnsServers?: readonly string[];
	readonly allowModules?: boolean;
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly stopsOnly?: boolean;
	readonly update?: boolean;
	readonly limit: number;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/**
Checks and prints; returns the exit status. With `--update` the file is then rewritten, and the status says whether the new baseline is complete.

@throws {TestbedError} INPUT for an invalid baseline or input, USAGE if one is missing, and everything that `verifyBaseline` throws.
*/
export async function verifyCommand(file: string, input: string | undefined, flags: VerifyFlags): Promise<number> {
	if (file === '-' && (input === '-' || flags.update === true)) {
		throw new TestbedError('USAGE', {message: input === '-' ? 'The baseline and the rules cannot both be read from standard input.' : '--update cannot write a baseline that comes from standard input.', hint: 'Save the baseline to a file.'});
	}

	const read = ruleFiles([['the input', input], ['--rules6', flags.rules6]]);
	const checks = new Checks(flags);
	checks.do(() => {
		checkOutputFlags(flags, flags.update === true ? read : [...read, {name: 'the baseline', file}], flags.update === true ? [{name: '--update', what: 'The baseline', file}] : []);
	});
	const known = checks.do(() => chosenPart(loadBaseline(file), {file, flags}));
	if (checks.isOnly) {
		return checkVerify(known, {file, input, flags, checks});
	}

	const baseline = known!;
	const {rules, request} = loadRules(baseline, {file, input, flags});
	const options = {
		credentials: credentialsOfCheck(baseline, rules, flags),
		limit: flags.limit,
		timeoutMs: flags.timeout,
		traceBufferBytes: flags.traceBuffer,
	};
	return supervise(async supervision => {
		const shared = {...options, ...supervision};
		const checked = await verifyBaseline({
			...shared, file, baseline, rules, areRolesCompared: flags.stopsOnly !== true,
		});
		const report = wantedReports(flags).some(({format}) => format === 'html') ? await withRecordedPaths(checked, {...shared, baseline, allowModules: flags.allowModules}) : checked;
		await writeFormatted({
			text: reader => printVerification(report, reader),
			json: () => verificationToJson(report),
			results: () => resultsOfVerification(report),
			status: () => exitStatusOfVerification(report),
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

/** The users of a check: the proxy is the baseline's, unless the command line names another. */
function credentialsOfCheck({proxy}: Baseline, rules: RuleInput, flags: VerifyFlags): ActorCredentials {
	return usualCredentials({proxyUid: flags.proxyUid ?? proxy.uid, proxyGid: flags.proxyGid ?? flags.proxyUid ?? proxy.gid}, rules.intent, rules);
}

/**
Checks the baseline and the rules, and prints what would be sent.

@throws {TestbedError} All faults.
*/
async function checkVerify(baseline: Baseline | undefined, {file, input, flags, checks}: {
	readonly file: string; readonly input: string | undefined; readonly flags: VerifyFlags; readonly checks: Checks;
}): Promise<number> {
	const source = input ?? baseline?.rules.source;
	const isUnread = source !== undefined && checks.do(() => isLeftUnread(source, checks)) === true;
	const families = baseline?.rules.families ?? flags.family ?? addressFamilies;
	const read = isUnread || source === undefined
		? undefined
		: checks.do(() => baseline === undefined
			? loadRuleInput({
				source, source6: flags.rules6, options: argumentOptions, families, dnsServers: flags.dnsServers, allowModules: flags.allowModules,
				...(flags.backend === undefined ? {} : {backend: flags.backend}),
			})
			: loadRules(baseline, {file, input, flags}).rules);
	return checkBaselineCases(read, {
		command: 'baseline check',
		source: source ?? file,
		isUnread,
		families,
		baseline,
		scenarios: [...new Set(baseline?.cases.map(({of}) => of))].filter(of => of !== 'types'),
		credentials: baseline && read && credentialsOfCheck(baseline, read, flags),
		limit: flags.limit,
		checks,
	});
}

/** The baseline reduced to the requested families; all of it if none is requested. */
function chosenPart(baseline: Baseline, {file, flags: {family: families, update}}: {readonly file: string; readonly flags: VerifyFlags}): Baseline {
	const {families: known} = baseline.rules;
	const missing = families?.find(family => !known.includes(family));
	if (missing !== undefined) {
		throw new TestbedError('USAGE', {message: `${file} covers ${known.join(' and ')}, not ${missing}.`});
	}

	if (families === undefined || families.length === known.length) {
		return baseline;
	}

	if (update === true) {
		throw new TestbedError('USAGE', {message: `--update would drop ${known.filter(family => !families.includes(family)).join(' and ')} from ${file}.`, hint: `Omit --family, or create a new baseline: ${commandLine('baseline create --family …')}`});
	}

	return baselineOf(baseline, families);
}

type Loaded = {readonly rules: RuleInput; readonly request: RecordOptions['request']};

/** The given rules, or those that the baseline was created from. */
function loadRules({rules: {source, source6, dnsServers, backend, families}}: Baseline, {file, input, flags}: {
	readonly file: string; readonly input: string | undefined; readonly flags: VerifyFlags;
}): Loaded {
	if (input === undefined && (source === '-' || source6 === '-')) {
		throw new TestbedError('USAGE', {message: `${file} was created from standard input, so it does not say where its rules are.`, hint: `Pass them: ${commandLine(`baseline check ${file} RULES`)}`});
	}

	const request = {source6: flags.rules6 ?? (input === undefined ? source6 ?? undefined : undefined), dnsServers: flags.dnsServers ?? dnsServers ?? undefined};
	const wanted = flags.backend ?? (input === undefined ? backend : undefined);
	return {
		rules: loadRuleInput({
			source: input ?? source, ...request, options: argumentOptions, families, allowModules: flags.allowModules, ...(wanted === undefined ? {} : {backend: wanted}),
		}),
		request,
	};
}
