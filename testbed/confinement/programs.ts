/**
The rule tools on this machine: where they are, and by which loader the kernel starts them.
*/

import {
	accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync,
} from 'node:fs';
import path from 'node:path';

/** The programs that are given text of a user: rules, or addresses and routes. Nothing else is ever run confined. */
export const confinedPrograms: readonly string[] = [
	'ip', 'nft', ...['iptables', 'ip6tables'].flatMap(family => ['nft', 'legacy'].flatMap(kind => ['restore', 'save'].map(act => `${family}-${kind}-${act}`))),
];

/** One program: its name, the file behind all links, and the loader that its head names, if it names one. */
export type FoundProgram = {readonly name: string; readonly file: string; readonly loader: string | undefined};

/** A program that is there and cannot be run confined, and why. */
export type UnusableProgram = {readonly name: string; readonly reason: string};

/** Looks a program up as a shell would; undefined when no folder has it. */
function locate(name: string, searchPath: string): string | undefined {
	for (const folder of searchPath.split(':')) {
		const file = path.join(folder, name);
		try {
			accessSync(file, constants.X_OK);
			if (statSync(file).isFile()) {
				return realpathSync(file);
			}
		} catch {} // It is not there.
	}

	return undefined;
}

const headBytes = 4096;
const interpreterType = 3; // PT_INTERP

/**
The loader that an ELF file of 64 bits names in its head (elf(5)); undefined for a static program.

@throws {RangeError} for a file that is no such program: a script needs an interpreter, and whatever that runs.
*/
export function loaderOf(head: Uint8Array): string | undefined {
	const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
	if (head.length < 64 || view.getUint32(0) !== 0x7F_45_4C_46 || view.getUint8(4) !== 2 || view.getUint8(5) !== 1) {
		throw new RangeError('it is no ELF program of 64 bits (a script?)');
	}

	const [start, size, count] = [Number(view.getBigUint64(32, true)), view.getUint16(54, true), view.getUint16(56, true)];
	for (let index = 0; index < count; index++) {
		const at = start + (index * size);
		if (at + 40 <= head.length && view.getUint32(at, true) === interpreterType) {
			const [offset, length] = [8, 32].map(field => Number(view.getBigUint64(at + field, true))) as [number, number];
			if (offset + length > head.length) {
				throw new RangeError('the name of its loader lies beyond its head');
			}

			return new TextDecoder().decode(head.subarray(offset, offset + length - 1)); // It ends with a NUL.
		}
	}

	return undefined;
}

function headOf(file: string): Uint8Array {
	const head = new Uint8Array(headBytes);
	const fd = openSync(file, 'r');
	try {
		return head.subarray(0, readSync(fd, head, 0, head.length, 0));
	} finally {
		closeSync(fd);
	}
}

/** Looks all programs up. One that is not on this machine is in neither list. */
export function findPrograms(names: readonly string[], searchPath: string): {readonly found: readonly FoundProgram[]; readonly unusable: readonly UnusableProgram[]} {
	const found: FoundProgram[] = [];
	const unusable: UnusableProgram[] = [];
	for (const name of names) {
		const file = locate(name, searchPath);
		try {
			if (file !== undefined) {
				found.push({name, file, loader: loaderOf(headOf(file))});
			}
		} catch (error) {
			unusable.push({name, reason: `${file!}: ${(error as Error).message}`});
		}
	}

	return {found, unusable};
}
