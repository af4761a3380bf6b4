/**
What a command said on several kernels, as plain data, which all printers print.
*/

import {addTallies, exitStatus, type ExitStatus, type Tally} from '../../judge/exit-status.js';

/** Something that a kernel or its user land lacks, by the doctor: what was tried, the module or option that it needs, and the command that provides it. */
export type Lack = {readonly what: string; readonly needs: string; readonly fix: string};

/** One kernel. `series` is as asked for. Null where the kernel was not fetched or not booted. */
export type KernelResult = {
	readonly series: string;
	/** The Debian package, its version, and what `uname -r` printed in the guest. */
	readonly package: string | null;
	readonly packageVersion: string | null;
	readonly release: string | null;
	/** From power-on to the first process on the root disk. */
	readonly bootMs: number | null;
	/** From power-on until QEMU had ended. */
	readonly durationMs: number;
	readonly exitStatus: number | null;
	readonly tally: Tally;
	/** Why it did not pass, in sentences. */
	readonly reasons: readonly string[];
	readonly lacks: readonly Lack[];
	/** What the command printed in the guest. */
	readonly output: string;
	readonly errors: string;
};

/** All kernels. `because` is why it was not KVM; null if nobody wanted to know, or nothing was booted. */
export type KernelsReport = {
	readonly command: readonly string[];
	readonly accelerator: {readonly name: 'kvm' | 'tcg'; readonly because: string | null} | null;
	readonly kernels: readonly KernelResult[];
	readonly durationMs: number;
};

/** All results of all kernels. */
export function tallyOfKernels({kernels}: Pick<KernelsReport, 'kernels'>): Tally {
	return addTallies(kernels.map(({tally}) => tally));
}

/** 0: everything passed on every kernel. 1: something failed on one. 3: something is inconclusive, such as a kernel that did not boot. */
export function exitStatusOfKernels(report: Pick<KernelsReport, 'kernels'>): ExitStatus {
	return exitStatus(tallyOfKernels(report));
}

/** How a kernel ended. */
export function outcomeOfKernel({tally}: Pick<KernelResult, 'tally'>): 'passed' | 'failed' | 'inconclusive' {
	return ({0: 'passed', 1: 'failed', 3: 'inconclusive'} as const)[exitStatus(tally)];
}
