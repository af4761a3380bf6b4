/**
A report on several kernels as JSON (version 1), and as results for machines.
*/

import {withDoubt, type CaseOutcome, type Results} from '../formats/results.js';
import type {KernelsDocument} from './schema.js';
import {
	outcomeOfKernel, tallyOfKernels, type KernelResult, type KernelsReport,
} from './types.js';

/** The document, ready for `JSON.stringify`. */
export function kernelsToJson(report: KernelsReport): KernelsDocument {
	const {command, accelerator, kernels, durationMs} = report;
	return {
		version: 1,
		command,
		accelerator,
		kernels: kernels.map(kernel => {
			const {tally, ...rest} = kernel;
			return {...rest, outcome: outcomeOfKernel(kernel), summary: tally};
		}),
		summary: tallyOfKernels(report),
		durationMs,
	};
}

/** One case per kernel. */
export function resultsOfKernels(report: KernelsReport): Results {
	const {command, accelerator, kernels, durationMs} = report;
	return withDoubt({
		name: 'testbed kernels',
		suites: [{
			name: `testbed ${command.join(' ')}`,
			properties: accelerator === null ? {} : {accelerator: accelerator.name},
			cases: kernels.map(kernel => ({
				name: kernel.package === null ? kernel.series : `${kernel.series}: ${kernel.package} ${kernel.packageVersion}`,
				outcome: outcomeOf(kernel),
				observed: `${kernel.tally.passed} passed, ${kernel.tally.failed} failed, ${kernel.tally.inconclusive} inconclusive`,
				notes: kernel.lacks.map(({what, needs}) => ['lacks', `${what}: needs ${needs}`] as const),
				durationMs: kernel.durationMs,
			})),
			durationMs,
		}],
		durationMs,
	});
}

function outcomeOf(kernel: KernelResult): CaseOutcome {
	const outcome = outcomeOfKernel(kernel);
	if (outcome === 'passed') {
		return {kind: 'pass'};
	}

	return {kind: outcome === 'failed' ? 'fail' : 'inconclusive', message: kernel.reasons[0] ?? `The command ended with status ${kernel.exitStatus}.`, reasons: kernel.reasons};
}
