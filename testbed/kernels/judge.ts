/**
What a guest's job says about a kernel. Nothing passes without an exit status and results of the kernel that was asked for.
*/

import {tallyOf, type Tally} from '../../src/judge/exit-status.js';
import type {KernelResult} from '../../src/report/kernels/types.js';
import {TestbedError} from '../errors.js';
import type {JobResult} from './job.js';
import type {KernelPackage} from './packages.js';
import {complaintAbout, type Booted} from './qemu.js';

/** A kernel about which nothing is known. */
export function untriedKernel(series: string, reason: string, kernel?: KernelPackage): KernelResult {
	return {
		series, package: kernel?.name ?? null, packageVersion: kernel?.version ?? null, release: null, bootMs: null, durationMs: 0, exitStatus: null, tally: tallyOf('inconclusive'), reasons: [reason], lacks: [], output: '', errors: '',
	};
}

/** The results of a command: those of its report, if it has one, but never better than its exit status. */
export function tallyFor(exitStatus: number, tally: Tally | null): Tally {
	const certain = tally ?? (exitStatus === 0 ? tallyOf('passed') : tallyOf(exitStatus === 1 ? 'failed' : 'inconclusive'));
	if (exitStatus === 0) {
		return certain;
	}

	if (exitStatus === 1) {
		return {...certain, failed: Math.max(1, certain.failed)};
	}

	return {...certain, inconclusive: Math.max(1, certain.inconclusive)};
}

/** The last thing that a command said about itself, in a line: its error, or else the end of its report. */
function lastWords({errors, output}: JobResult): string {
	const lines = errors.split('\n').filter(line => line.trim() !== '' && !line.endsWith(' …'));
	const start = lines.findLastIndex(line => line.startsWith('testbed: '));
	const words = start === -1 ? output.trim().split('\n').at(-1)! : lines.slice(start).join(' ');
	return words.replace(/^testbed: /u, '').trim();
}

/**
Judges one guest.

@throws {TestbedError} USAGE if the command line or its input was refused in the guest: that would be the same on every kernel.
*/
export function judgeGuest({series, kernel, booted, job, limitMs}: {
	readonly series: string; readonly kernel: KernelPackage; readonly booted: Booted; readonly job: JobResult; readonly limitMs: number;
}): KernelResult {
	const {release, exitStatus, output, errors, lacks} = job;
	const known = {
		series, package: kernel.name, packageVersion: kernel.version, release, bootMs: booted.upMs, durationMs: booted.durationMs, exitStatus, output, errors, lacks,
	};
	if (exitStatus === 2) {
		throw new TestbedError('USAGE', {message: `The command was refused in the guest: ${lastWords(job)}`, state: `No further kernel was booted after ${kernel.release}.`, hint: 'A guest has the files that words of the command name, and those of --file.'});
	}

	if (exitStatus === null || booted.end.isOverTime || booted.end.exitCode !== 0) {
		return {...known, tally: tallyOf('inconclusive'), reasons: [complaintAbout(booted, limitMs)]};
	}

	if (release !== kernel.release) {
		return {...known, tally: tallyOf('inconclusive'), reasons: [`The guest ran kernel ${release ?? 'unknown'} instead of ${kernel.release}.`]};
	}

	const tally = tallyFor(exitStatus, job.tally);
	return {...known, tally, reasons: exitStatus === 0 && tally.failed + tally.inconclusive === 0 ? [] : [`The command ended with status ${exitStatus}: ${lastWords(job)}`]};
}
