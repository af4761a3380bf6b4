/**
Sends what moved through the rules of the baseline as well. A baseline keeps no packets, so this is how a drawing gets its "before": from the kernel, like everything that is drawn.
*/

import type {CheckedCase} from '../../src/baseline/verify-cases.js';
import type {CheckedClass} from '../../src/baseline/verify.js';
import {isSame, isSamePath, summarizePath} from '../../src/comparison/moves.js';
import {rulesOfMesh} from '../../src/mesh/mesh.js';
import type {VerificationReport} from '../../src/report/verification/types.js';
import {TestbedError} from '../errors.js';
import {checkModules} from '../inputs/check-modules.js';
import {meshOf} from '../inputs/mesh-of-rules.js';
import type {RuleInput} from '../inputs/types.js';
import {ProberSandbox} from '../probe/prober-sandbox.js';
import {questionOf} from './probe-classes.js';
import {runCases} from './record-baseline.js';
import type {VerifyOptions} from './verify-baseline.js';

/** Options of {@link withRecordedPaths}: those of the check. */
export type RecordedPathsOptions = Pick<VerifyOptions, 'baseline' | 'credentials' | 'timeoutMs' | 'traceBufferBytes' | 'signal' | 'onProgress'> & {readonly allowModules: boolean | undefined};

/** The most classes that are sent again, the first ones. More drawings than that nobody looks at. */
const drawnMax = 200;

/**
The report of a check with the path of before beside that of now, for all that moved. A path is added only if it is the recorded one. What keeps the recorded rules from being sent through again is a hint; it changes nothing of the result.

@throws {TestbedError} INTERRUPTED.
*/
export async function withRecordedPaths(report: VerificationReport, options: RecordedPathsOptions): Promise<VerificationReport> {
	if ([...report.classes, ...report.cases].every(({outcome}) => outcome !== 'moved')) {
		return report;
	}

	try {
		options.onProgress('sending what moved through the recorded rules');
		const rules = recordedRules(options);
		const classes = await classesWithPaths(report.classes, rules, options);
		return {...report, classes, cases: await casesWithPaths(report.cases, rules, options)};
	} catch (error) {
		if (!(error instanceof TestbedError) || error.code === 'INTERRUPTED') {
			throw error;
		}

		return {...report, hints: [...report.hints, `The recorded rules could not be sent through again, so the drawings have no "before": ${error.message}`]};
	}
}

/** The rules as the baseline has them. They were checked when they were recorded, but the check is of this command's options. */
function recordedRules({baseline: {rules: {source, release, backend, families, ruleSet, markRules}}, allowModules = false}: RecordedPathsOptions): RuleInput {
	const mesh = meshOf({source, ruleSet});
	const intent = mesh.intentOf(ruleSet);
	const rules: RuleInput = {
		source, release, mesh, backend, ruleSet, routing: {...mesh.routing(intent, families, ruleSet), markRules}, warnings: [], notes: [], reference: ruleSet, intent,
	};
	return {...rules, allowedModules: checkModules(rules, allowModules)};
}

async function classesWithPaths(classes: readonly CheckedClass[], rules: RuleInput, options: RecordedPathsOptions): Promise<readonly CheckedClass[]> {
	const {credentials, timeoutMs, traceBufferBytes, signal, baseline: {rules: {families, backend}}} = options;
	// One packet can show what happened to several recorded classes.
	const examples = [...new Set(classes.flatMap(checked => checked.outcome === 'moved' && checked.move !== undefined ? [checked.move.example] : []))].slice(0, drawnMax);
	if (examples.length === 0) {
		return classes;
	}

	await using sandbox = await ProberSandbox.create({backend, families, timeoutMs, traceBufferBytes});
	const ruleSet = rulesOfMesh(await sandbox.install(rules, credentials, {hasInvalid: examples.some(({packet}) => packet === 'invalid')}), rules.mesh);
	const results = await sandbox.send(examples.map(example => questionOf(example)), {follow: 'once-around', signal});
	const before = new Map(results.map((probeResult, index) => [examples[index]!, probeResult]));
	return classes.map(checked => {
		const move = checked.outcome === 'moved' ? checked.move : undefined;
		const probeResult = move === undefined ? undefined : before.get(move.example);
		return checked.outcome === 'moved' && move?.shown !== undefined && probeResult?.gaps.length === 0 && isSamePath(summarizePath(probeResult, ruleSet), move.from)
			? {...checked, move: {...move, shown: {from: {ruleSet, probeResult}, to: move.shown.to}}}
			: checked;
	});
}

async function casesWithPaths(cases: readonly CheckedCase[], rules: RuleInput, {baseline: {rules: {families}}, allowModules: _, ...options}: RecordedPathsOptions): Promise<readonly CheckedCase[]> {
	const moved = new Set(cases.filter(({outcome}) => outcome === 'moved').map(({record: {of}}) => of));
	if (moved.size === 0) {
		return cases;
	}

	const seen = await runCases({
		...options, families, rules, scenarios: [...moved].filter(of => of !== 'types'),
	});
	return cases.map(checked => {
		const {record} = checked;
		const again = seen.find(({of, id, name, family}) => of === record.of && id === record.id && name === record.name && family === record.family);
		return checked.outcome === 'moved' && checked.shown !== undefined && again?.shown !== undefined && again.gaps.length === 0 && isSame(again.stops, record.stops)
			? {...checked, shown: {from: again.shown, to: checked.shown.to}}
			: checked;
	});
}
