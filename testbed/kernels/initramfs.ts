/**
The initramfs of a guest: one static busybox, the modules for its disks, and a script.
*/

import {Buffer} from 'node:buffer';

/** A file or a folder (no `data`) in the archive. */
export type ArchiveEntry = {readonly name: string; readonly mode: number; readonly data?: Uint8Array};

const directoryType = 0o04_0000;
const regularType = 0o10_0000;
const padding = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4);

function printEntry({name, mode, data}: ArchiveEntry, inode: number): Buffer {
	const bytes = Buffer.from(`${name}\0`);
	const size = data?.length ?? 0;
	const type = data === undefined ? directoryType : regularType;
	// The 13 numbers of a header: inode, mode, owner, group, links, time, size, four device numbers, length of the name, checksum (not used in this form).
	const numbers = [inode, name === 'TRAILER!!!' ? 0 : type | mode, 0, 0, data === undefined ? 2 : 1, 0, size, 0, 0, 0, 0, bytes.length, 0];
	const header = Buffer.from(`070701${numbers.map(number => number.toString(16).padStart(8, '0')).join('')}`);
	return Buffer.concat([header, bytes, padding(header.length + bytes.length), data ?? Buffer.alloc(0), padding(size)]);
}

/** The archive as the kernel reads it: cpio's form `newc` (Documentation/driver-api/early-userspace/buffer-format.rst). */
export function printArchive(entries: readonly ArchiveEntry[]): Buffer {
	return Buffer.concat([...entries, {name: 'TRAILER!!!', mode: 0, data: Buffer.alloc(0)}].map((entry, index) => printEntry(entry, index + 1)));
}

/** The name that modprobe means by a file: without folders and endings, `-` as `_`. */
function moduleName(file: string): string {
	return file.split('/').at(-1)!.replace(/\.ko(?:\.(?:xz|zst|gz))?$/u, '').replaceAll('-', '_');
}

/** The files of some modules with what they depend on, in loading order, by the text of depmod's modules.dep. A module that is not there is part of the kernel itself. */
export function modulesFor(names: readonly string[], dependencies: string): readonly string[] {
	const files = new Map<string, readonly string[]>();
	for (const line of dependencies.split('\n').filter(line => line !== '')) {
		const [file = '', needed = ''] = line.split(':');
		files.set(moduleName(file), [file, ...needed.trim().split(' ').filter(word => word !== '')]);
	}

	// In modules.dep, what must be loaded first is last.
	return [...new Set(names.flatMap(name => (files.get(name) ?? []).toReversed()))];
}
