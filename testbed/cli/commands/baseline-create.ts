/**
`testbed baseline create`: records what a rule set does as a baseline to check against later.
*/

import {exitStatus, tallyOf, type ExitStatus} from '../../../src/judge/exit-status.js';
import {printBaseline} from '../../../src/baseline/file.js';
import type {AddressFamily, Backend} from '../../../src/netfilter/types.js';
import {saveBaseline} from '../../analysis/baseline-file.js';
import {recordBaseline, type Recording} from '../../analysis/record-baseline.js';
import {argumentOptions, defaultInput} from '../../inputs/request.js';
import {loadRuleInput} from '../../inputs/rules.js';
import {scenarioFiles} from '../../inputs/scenario-words.js';
import {checkOutputs} from '../../outputs/check.js';
import {tell, writeOut} from '../../system/streams.js';
import {remark} from '../output/remark.js';
import {describeNotes} from '../output/notes.js';
import {ruleFiles} from '../output/output-files.js';
import {usualCredentials} from '../../inputs/credentials.js';
import {Checks, isLeftUnread, type CheckFlags} from '../check/checks.js';
import {checkBaselineCases} from '../check/plan-baseline.js';
import {supervise} from '../supervise.js';

/** The options as the command line gives them. */
export type RecordFlags = CheckFlags & {
	readonly rules6?: string;
	readonly backend?: Backend;
	readonly family: readonly AddressFamily[];
	readonly dnsServers?: readonly string[];
	readonly allowModules?: boolean;
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly scenarios?: readonly string[];
	readonly output?: string;
	readonly limit: number;
	readonly timeout: number;
	readonly traceBuffer: number;
};

/**
Records and writes a baseline; returns the exit status. If evidence is missing, nothing is written.

@throws {TestbedError} INPUT or USAGE for the input, and everything that `recordBaseline` throws.
*/
export async function recordCommand(input: string | undefined, flags: RecordFlags): Promise<number> {
	const {family: families, backend, dnsServers, rules6: source6, output, allowModules} = flags;
	const checks = new Checks(flags);
	const source = input ?? defaultInput;
	const isUnread = checks.do(() => isLeftUnread(source, checks)) === true;
	const loaded = isUnread
		? undefined
		: checks.do(() => loadRuleInput({
			source, source6, options: argumentOptions, families, dnsServers, allowModules, ...(backend === undefined ? {} : {backend}),
		}));
	const scenarios = checks.do(() => scenarioFiles(flags.scenarios ?? [])) ?? [];
	checks.do(() => {
		checkOutputs([{name: output === undefined ? 'standard output' : '--output', what: 'The baseline', file: output ?? '-'}], [...ruleFiles([['the input', input], ['--rules6', source6]]), ...scenarios.map(file => ({name: '--scenarios', file}))]);
	});
	if (checks.isOnly) {
		return checkBaselineCases(loaded, {
			command: 'baseline create', source, isUnread, families, scenarios, credentials: loaded && usualCredentials(flags, loaded.intent, loaded), limit: flags.limit, checks,
		});
	}

	const rules = loaded!;
	tell(describeNotes(rules));
	const recording = await supervise(async supervision => recordBaseline({
		rules,
		request: {source6, dnsServers},
		scenarios,
		families,
		credentials: usualCredentials(flags, rules.intent, rules),
		limit: flags.limit,
		timeoutMs: flags.timeout,
		traceBufferBytes: flags.traceBuffer,
		...supervision,
	}));
	const {baseline, lost} = recording;
	if (lost.length === 0) {
		await (output === undefined ? writeOut(printBaseline(baseline)) : saveBaseline(output, baseline));
	}

	(exitStatusOfRecording(recording) === 0 ? remark : tell)(describeRecording(recording, output));
	return exitStatusOfRecording(recording);
}

/** 0: everything is recorded. 3: evidence was lost, or some packets cannot be sent. */
export function exitStatusOfRecording({lost, unsent}: Pick<Recording, 'lost' | 'unsent'>): ExitStatus {
	return exitStatus(tallyOf(lost.length > 0 || unsent.length > 0 ? 'inconclusive' : 'passed'));
}

/** Says on stderr what was recorded and what was not. */
export function describeRecording({baseline: {classes, cases}, lost, unsent}: Recording, output: string | undefined): string {
	const list = (gaps: Recording['lost']): string => [...new Set(gaps.map(({message}) => `  ${message}\n`))].join('');
	if (lost.length > 0) {
		return `testbed: Nothing was recorded because evidence is missing:\n${list(lost)}`;
	}

	const said = `testbed: Recorded ${classes.length} packet classes and ${cases.length} connections${output === undefined ? '' : ` in ${output}`}.\n`;
	return unsent.length === 0 ? said : `${said}Not recorded because it cannot be sent; baseline check will be inconclusive:\n${list(unsent)}`;
}
