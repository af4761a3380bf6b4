/**
The files that boot a kernel, made from its packages: the kernel, an initramfs, and a disk with all its modules, as on a real machine: what a run needs is loaded by the kernel and the tools.
*/

import {
	copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {gzipSync} from 'node:zlib';
import {TestbedError} from '../errors.js';
import {run} from '../system/exec.js';
import {makeDisk} from './disk.js';
import {modulesFor, printArchive, type ArchiveEntry} from './initramfs.js';
import {guestScript} from './guest-scripts.js';
import type {KernelPackage} from './packages.js';

/** The files of a kernel that boot it. */
export type KernelFiles = {readonly kernel: KernelPackage; readonly vmlinuz: string; readonly initramfs: string; readonly modules: string};

/** Modules that mount the disks; all others are loaded when something needs them. */
const diskModules = ['virtio_pci', 'virtio_blk', 'ext4'] as const;

const unpackLimitMs = 300_000;

/** The files of a kernel, in a folder that has them. */
export function kernelFilesIn(folder: string, kernel: KernelPackage): KernelFiles {
	return {kernel, vmlinuz: path.join(folder, 'vmlinuz'), initramfs: path.join(folder, 'initramfs'), modules: path.join(folder, 'modules.ext4')};
}

/** A module without its compression, which busybox does not load. */
async function readModule(file: string, busybox: string, scratch: string): Promise<Uint8Array> {
	if (!/\.(?:xz|zst|gz)$/u.test(file)) {
		return readFileSync(file);
	}

	const plain = path.join(scratch, 'module');
	const unpacker = {'.xz': [busybox, 'xz', '-dc'], '.gz': [busybox, 'gzip', '-dc'], '.zst': ['zstd', '-qdc']}[path.extname(file)]!;
	await run('sh', ['-c', 'out=$1; file=$2; shift 2; "$@" <"$file" >"$out"', 'sh', plain, file, ...unpacker]);
	return readFileSync(plain);
}

async function makeInitramfs({modules, busybox, scratch}: {readonly modules: string; readonly busybox: string; readonly scratch: string}): Promise<Uint8Array> {
	const files = modulesFor(diskModules, readFileSync(path.join(modules, 'modules.dep'), 'utf8'));
	const entries: ArchiveEntry[] = [
		...['bin', 'dev', 'proc', 'sys', 'root', 'modules'].map(name => ({name, mode: 0o755})),
		{name: 'bin/busybox', mode: 0o755, data: readFileSync(busybox)},
		{name: 'init', mode: 0o755, data: readFileSync(guestScript('initramfs-init.sh'))},
	];
	for (const [index, file] of files.entries()) {
		// Numbered in loading order.
		const name = `modules/${String(index + 100)}-${path.basename(file).replace(/\.(?:xz|zst|gz)$/u, '')}`;
		entries.push({name, mode: 0o644, data: await readModule(path.join(modules, file), busybox, scratch)}); // eslint-disable-line no-await-in-loop -- Each is unpacked into the same file.
	}

	return gzipSync(printArchive(entries), {level: 1});
}

/**
Makes the files of a kernel.

@param options.packages The folder with its packages and busybox's; it is emptied.
@param options.folder An empty folder for the result.
@throws {TestbedError} NOT_TRIED if the packages are not as expected.
*/
export async function makeKernelFiles(kernel: KernelPackage, {packages, folder, signal}: {readonly packages: string; readonly folder: string; readonly signal: AbortSignal}): Promise<KernelFiles> {
	const {release} = kernel;
	const tree = path.join(packages, 'tree');
	for (const file of readdirSync(packages).filter(name => name.endsWith('.deb'))) {
		await run('dpkg-deb', ['--extract', path.join(packages, file), tree], {timeoutMs: unpackLimitMs}); // eslint-disable-line no-await-in-loop -- They share folders.
		rmSync(path.join(packages, file));
		signal.throwIfAborted();
	}

	// Newer packages have everything below /usr, and depmod wants /lib.
	const base = path.join(packages, 'base');
	const modules = path.join(base, 'lib/modules', release);
	mkdirSync(path.dirname(modules), {recursive: true});
	renameSync(theOne(release, tree, [`lib/modules/${release}`, `usr/lib/modules/${release}`]), modules);
	await run('depmod', ['-b', base, release], {timeoutMs: unpackLimitMs});
	signal.throwIfAborted();
	const files = kernelFilesIn(folder, kernel);
	const vmlinuz = [path.join(tree, `boot/vmlinuz-${release}`), path.join(modules, 'vmlinuz')].find(file => existsSync(file));
	if (vmlinuz === undefined) {
		throw lacks(release, 'vmlinuz');
	}

	copyFileSync(vmlinuz, files.vmlinuz);
	writeFileSync(files.initramfs, await makeInitramfs({modules, busybox: theOne(release, tree, ['bin/busybox', 'usr/bin/busybox']), scratch: packages}));
	await makeDisk(files.modules, path.join(base, 'lib/modules'), {signal, freeMegabytes: 8});
	return files;
}

function theOne(release: string, tree: string, names: readonly string[]): string {
	const found = names.map(name => path.join(tree, name)).find(file => existsSync(file) && (statSync(file).isDirectory() || statSync(file).size > 0));
	if (found === undefined) {
		throw lacks(release, names[0]!);
	}

	return found;
}

function lacks(release: string, name: string): TestbedError {
	return new TestbedError('NOT_TRIED', {message: `The packages of kernel ${release} have no ${name}, so it cannot be booted.`, state: 'Nothing was kept of it.'});
}
