/**
The images of the kernels that were asked for, and of the root disk: from the cache, or fetched and made.
*/

import {mkdirSync, statSync} from 'node:fs';
import path from 'node:path';
import {TestbedError} from '../errors.js';
import type {OnProgress} from '../system/on-progress.js';
import {
	Apt, guestSources, mirrorsOfMachine, requireKeyring, type Mirrors,
} from './apt.js';
import type {Cache, CacheEntry} from './cache.js';
import {compareVersions} from './debian-version.js';
import {readGuestScript, recipeHash} from './guest-scripts.js';
import {kernelFilesIn, makeKernelFiles, type KernelFiles} from './kernel-files.js';
import {makePrograms, requirePrograms} from './needs.js';
import {
	chooseKernel, newest, newestOfEach, type KernelPackage,
} from './packages.js';
import {makeRootImage, packHook, rootPackages} from './root-image.js';

/** Raised when images are made differently without their scripts changing. */
const recipeVersion = '1';

/** What the image of a kernel is made by; its note in the cache has it. */
export const kernelRecipe = recipeHash(recipeVersion, readGuestScript('initramfs-init.sh'));

/** What the root disk is made by; its name in the cache ends with it. */
export const rootRecipe = recipeHash(recipeVersion, packHook, ...rootPackages);

/** Apt's lists are used again for so long. */
const listsMsMax = 6 * 3_600_000;

/** The note of a kernel in the cache. */
export type KernelNote = {readonly kernel: KernelPackage; readonly isNewest: boolean; readonly recipe: string; readonly fetched: string};

/** A kernel that was asked for: its files, or why there are none. */
export type FoundKernel = {readonly series: string} & ({readonly files: KernelFiles} | {readonly missing: string});

/** What boots. */
export type Images = {readonly root: string; readonly kernels: readonly FoundKernel[]};

/** What making images needs. `say` is told once how much room they take. */
export type ImageOptions = {readonly series: readonly string[]; readonly refresh: boolean; readonly signal: AbortSignal; readonly onProgress: OnProgress; readonly say: (text: string) => void};

function kernelNotes(cache: Cache): ReadonlyArray<{readonly entry: CacheEntry; readonly note: KernelNote}> {
	return cache.entries('kernel-').map(entry => ({entry, note: entry.note as KernelNote}))
		.filter(({note}) => note.recipe === kernelRecipe)
		.toSorted((a, b) => compareVersions(a.note.kernel.version, b.note.kernel.version));
}

/** The kernel of a series in the cache. */
function findKernel(cache: Cache, series: string): KernelFiles | undefined {
	const found = kernelNotes(cache).findLast(({note}) => series === newest ? note.isNewest : note.kernel.series === series);
	return found === undefined ? undefined : kernelFilesIn(found.entry.folder, found.note.kernel);
}

function findRoot(cache: Cache): string | undefined {
	const [entry] = cache.entries(`root-${rootRecipe}`);
	return entry === undefined ? undefined : path.join(entry.folder, 'root.ext4');
}

function areListsFresh(folder: string): boolean {
	const stats = statSync(path.join(folder, 'pkgcache.bin'), {throwIfNoEntry: false});
	return stats !== undefined && Date.now() - stats.mtimeMs < listsMsMax;
}

/** Makes images, with the exclusive lock. */
class Maker {
	readonly #cache: Cache;
	readonly #options: ImageOptions;
	readonly #mirrors: Mirrors;
	readonly #work: string;
	#kernels: readonly KernelPackage[] | undefined;
	#apt: Apt | undefined;

	constructor(cache: Cache, options: ImageOptions, mirrors: Mirrors) {
		this.#cache = cache;
		this.#options = options;
		this.#mirrors = mirrors;
		this.#work = cache.workFolder();
	}

	/** Fetches the newest kernel of a series, unless the cache has it. */
	async kernel(series: string): Promise<KernelFiles> {
		const {signal, onProgress} = this.#options;
		const {apt, kernels} = await this.#listed();
		const kernel = chooseKernel(series, kernels);
		const known = kernelNotes(this.#cache).find(({note}) => note.kernel.name === kernel.name && note.kernel.version === kernel.version);
		if (known !== undefined && (series !== newest || known.note.isNewest)) {
			return kernelFilesIn(known.entry.folder, kernel);
		}

		onProgress(`fetching ${kernel.name} ${kernel.version}`);
		const [packages, made] = ['packages', 'made'].map(name => path.join(this.#work, `${kernel.release}-${name}`));
		for (const folder of [packages!, made!]) {
			mkdirSync(folder);
		}

		await apt.download(kernel, packages!);
		onProgress(`making the image of kernel ${kernel.release}`);
		await makeKernelFiles(kernel, {packages: packages!, folder: made!, signal});
		const isNewest = newestOfEach(kernels).at(-1)!.name === kernel.name;
		const older = this.#cache.entries('kernel-').filter(({note}) => (note as KernelNote).kernel.series === kernel.series);
		this.#cache.forget(older);
		const {folder} = this.#cache.keep(`kernel-${kernel.release}`, made!, {kernel, isNewest, recipe: kernelRecipe, fetched: new Date().toISOString()} satisfies KernelNote);
		return kernelFilesIn(folder, kernel);
	}

	/** Makes the root disk. */
	async root(): Promise<string> {
		const {signal, onProgress} = this.#options;
		const made = path.join(this.#work, 'root');
		mkdirSync(made);
		const step = 'making the guest\'s root disk with mmdebstrap (a minute)';
		onProgress(step);
		await makeRootImage(path.join(made, 'root.ext4'), {
			mirrors: this.#mirrors, scratch: this.#work, signal,
			onLine() {
				onProgress(step);
			},
		});
		this.#cache.forget(this.#cache.entries('root-'));
		const {folder} = this.#cache.keep(`root-${rootRecipe}`, made, {packages: rootPackages, sources: guestSources(this.#mirrors), made: new Date().toISOString()});
		return path.join(folder, 'root.ext4');
	}

	/** Removes what was only needed meanwhile. */
	end(): void {
		this.#cache.forget([{folder: this.#work, note: undefined}]);
	}

	async #listed(): Promise<{readonly apt: Apt; readonly kernels: readonly KernelPackage[]}> {
		const {refresh, signal, onProgress} = this.#options;
		if (this.#apt === undefined || this.#kernels === undefined) {
			const folder = path.join(this.#cache.folder, 'apt');
			this.#apt = new Apt(folder, this.#mirrors, signal);
			if (refresh || !areListsFresh(folder)) {
				onProgress('fetching the lists of Debian\'s packages');
				await this.#apt.update();
			}

			this.#kernels = await this.#apt.kernels();
		}

		return {apt: this.#apt, kernels: this.#kernels};
	}
}

/** Errors that end all of it: a wrong word, and a signal. */
const refusals: ReadonlySet<string> = new Set(['USAGE', 'INPUT', 'INTERRUPTED']);

/** The kernel of a series, or why there is none. */
async function fetchKernel(maker: Maker, series: string, {refresh}: ImageOptions): Promise<FoundKernel> {
	try {
		return {series, files: await maker.kernel(series)};
	} catch (error) {
		if (error instanceof TestbedError && !refusals.has(error.code) && !refresh) {
			return {series, missing: [error.message, error.hint].filter(text => text !== undefined).join(' ')};
		}

		throw error;
	}
}

const inMegabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** Finds or makes the images; that of the root disk only if it is wanted. */
async function prepare(cache: Cache, options: ImageOptions, {isRootWanted}: {readonly isRootWanted: boolean}): Promise<{readonly root: string | undefined; readonly kernels: readonly FoundKernel[]}> {
	const {series, refresh, signal, onProgress, say} = options;
	const onWait = (): void => {
		onProgress('waiting for another testbed that uses the images');
	};

	const found = (): readonly [string | undefined, ReadonlyArray<KernelFiles | undefined>] => [isRootWanted ? findRoot(cache) : undefined, series.map(word => findKernel(cache, word))];
	let [root, kernels] = found();
	if (!refresh && (root !== undefined || !isRootWanted) && kernels.every(files => files !== undefined)) {
		return {root, kernels: kernels.map((files, index) => ({series: series[index]!, files}))};
	}

	requirePrograms(makePrograms, {what: 'Making the images'});
	requireKeyring();
	await cache.lock('exclusive', {signal, onWait});
	[root, kernels] = found();
	const maker = new Maker(cache, options, await mirrorsOfMachine());
	try {
		const all: FoundKernel[] = [];
		for (const [index, word] of series.entries()) {
			const files = refresh ? undefined : kernels[index];
			all.push(files === undefined ? await fetchKernel(maker, word, options) : {series: word, files}); // eslint-disable-line no-await-in-loop -- One network.
		}

		const missing = all.flatMap(kernel => 'missing' in kernel ? [kernel.missing] : []);
		if (missing.length === all.length) {
			throw new TestbedError('NOT_TRIED', {message: missing[0]!, state: 'Nothing was booted.'});
		}

		if (isRootWanted && (refresh || root === undefined)) {
			root = await maker.root();
		}

		say(`testbed: The images are in ${cache.folder} (${inMegabytes(cache.size())}). --refresh fetches newer ones; removing the folder frees the room.\n`);
		return {root, kernels: all};
	} finally {
		maker.end();
		await cache.lock('shared', {signal: new AbortController().signal, onWait: () => undefined});
	}
}

/**
Finds the images of kernels in a cache that this process has locked, and makes those that are missing; with `refresh`, also those for which there is something newer. Afterwards the lock is shared.

@throws {TestbedError} USAGE for a series that Debian does not have. NOT_TRIED if not one of the kernels can be had.
*/
export async function prepareKernels(cache: Cache, options: ImageOptions): Promise<readonly FoundKernel[]> {
	const {kernels} = await prepare(cache, options, {isRootWanted: false});
	return kernels;
}

/**
The same with the root disk.

@throws {TestbedError} As {@link prepareKernels}, and NOT_TRIED for a root disk that cannot be made.
*/
export async function prepareImages(cache: Cache, options: ImageOptions): Promise<Images> {
	const {root, kernels} = await prepare(cache, options, {isRootWanted: true});
	return {root: root!, kernels};
}
