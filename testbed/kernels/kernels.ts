/**
Runs a command of the testbed on several kernels, one guest after the other.
*/

import {rmSync} from 'node:fs';
import path from 'node:path';
import {performance} from 'node:perf_hooks';
import {dir} from 'tmp-promise';
import type {KernelResult, KernelsReport} from '../../src/report/kernels/types.js';
import type {OnProgress} from '../system/on-progress.js';
import {chooseAccelerator, forgetAccelerator} from './accelerator.js';
import {Cache, cacheFolder} from './cache.js';
import {prepareImages, type FoundKernel, type Images} from './images.js';
import {makeJobDisk, makeResultsDisk, readResults} from './job.js';
import {judgeGuest, untriedKernel} from './judge.js';
import type {KernelFiles} from './kernel-files.js';
import {bootPrograms, requireArchitecture, requirePrograms} from './needs.js';
import {filesNamedIn} from './pack.js';
import {bootGuest, type Accelerator} from './qemu.js';

/** What to run where. `words` is a command of the testbed; `files` are further files for it. */
export type KernelsOptions = {
	readonly series: readonly string[];
	readonly words: readonly string[];
	readonly files: readonly string[];
	readonly folder: string;
	readonly accelerator: Accelerator | 'auto';
	readonly refresh: boolean;
	readonly limitMs: number;
	readonly cache?: string;
	readonly signal: AbortSignal;
	readonly onProgress: OnProgress;
	readonly say: (text: string) => void;
};

type Guest = {readonly files: KernelFiles; readonly root: string; readonly accelerator: Accelerator; readonly job: string; readonly scratch: string};

/** What a line of the guest means for the progress. */
const steps: ReadonlyMap<string, string> = new Map([['guest: testbed', 'running the command'], ['guest: doctor', 'asking the doctor why']]);

async function runGuest(series: string, {files, root, accelerator, job, scratch}: Guest, {signal, limitMs, onProgress}: KernelsOptions): Promise<KernelResult> {
	const {kernel} = files;
	const results = path.join(scratch, `${kernel.release}.results`);
	makeResultsDisk(results);
	onProgress(`${kernel.release}: booting`);
	const booted = await bootGuest({
		files, accelerator, disks: [{file: root, kind: 'own'}, {file: files.modules, kind: 'read'}, {file: job, kind: 'own'}, {file: results, kind: 'results'}],
	}, {
		signal, limitMs,
		onLine(line) {
			const step = steps.get(line);
			if (step !== undefined) {
				onProgress(`${kernel.release}: ${step}`);
			}
		},
	});
	return judgeGuest({series, kernel, booted, job: await readResults(results, path.join(scratch, kernel.release)), limitMs});
}

async function bootAll({root, kernels}: Images, options: KernelsOptions, cache: Cache): Promise<Pick<KernelsReport, 'accelerator' | 'kernels'>> {
	const {words, files, folder, signal, onProgress} = options;
	const {path: scratch} = await dir({prefix: 'testbed-kernels-', unsafeCleanup: true});
	try {
		const job = path.join(scratch, 'job.ext4');
		onProgress('packing the testbed for the guests');
		await makeJobDisk(job, {
			words, folder, files: [...new Set([...filesNamedIn(words, folder), ...files.map(file => path.resolve(folder, file))])], scratch, signal,
		});
		const first = kernels.find((kernel): kernel is FoundKernel & {readonly files: KernelFiles} => 'files' in kernel)!;
		onProgress('trying whether a kernel boots with KVM');
		const accelerator = await chooseAccelerator(first.files, {signal, wanted: options.accelerator, folder: cache.folder});
		const results: KernelResult[] = [];
		for (const kernel of kernels) {
			results.push('files' in kernel
				? await runGuest(kernel.series, {files: kernel.files, root, accelerator: accelerator.name, job, scratch}, options) // eslint-disable-line no-await-in-loop -- A guest takes all processors.
				: untriedKernel(kernel.series, kernel.missing));
		}

		return {accelerator, kernels: results};
	} finally {
		// At once: after a signal there is little time.
		rmSync(scratch, {recursive: true, force: true});
	}
}

/**
Runs the command on all kernels.

@throws {TestbedError} NOT_TRIED if nothing can be booted here; USAGE for a series that Debian does not have, and for a command that is refused in the guest; INPUT for files that cannot be packed; INTERRUPTED after a signal, when QEMU has ended.
*/
export async function runOnKernels(options: KernelsOptions): Promise<KernelsReport> {
	const {signal, onProgress} = options;
	const start = performance.now();
	requireArchitecture();
	requirePrograms(bootPrograms, {what: 'Booting a kernel'});
	using cache = await Cache.open(options.cache ?? cacheFolder(), 'shared', {
		signal,
		onWait() {
			onProgress('waiting for another testbed that makes images');
		},
	});
	if (options.refresh) {
		forgetAccelerator(cache.folder);
	}

	const images = await prepareImages(cache, options);
	signal.throwIfAborted();

	const {accelerator, kernels} = await bootAll(images, options, cache);
	return {
		command: options.words, accelerator, kernels, durationMs: performance.now() - start,
	};
}
