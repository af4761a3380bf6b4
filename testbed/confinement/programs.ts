/**
The rule tools on this machine: where they are, and which loader starts them.
*/

import process from 'node:process';
import {
	closeSync, openSync, readSync, realpathSync,
} from 'node:fs';
import {backendTools, factsOf} from '../../src/netfilter/backends.js';
import {backends} from '../../src/netfilter/types.js';
import {findProgram} from '../system/find-program.js';

/** The programs that are run confined: those that are given text from users (rules, addresses and routes), and those that are asked for their version. */
export const confinedPrograms: readonly string[] = [...new Set(['ip', ...backendTools.map(({program}) => program), ...backends.map(backend => factsOf(backend).iptablesProgram)])];

/** The environment variable that names further programs to make visible to confined tools, for scripts that replace tools. */
export const furtherPrograms = 'TESTBED_CONFINED_PROGRAMS';

/** The programs that the testbed runs confined, and what scripts in their place start. */
export function programsToConfine(): readonly string[] {
	return [...confinedPrograms, ...(process.env[furtherPrograms] ?? '').split(':').filter(name => name !== '')];
}

/** One program: its name, where it was found, the file with all links resolved, and what the kernel needs to start it: the loader named in its header, or a script's interpreter and that interpreter's loader. */
export type FoundProgram = {readonly name: string; readonly place: string; readonly file: string; readonly startedBy: readonly string[]};

/** A program that exists but cannot be run confined, and why. */
export type UnusableProgram = {readonly name: string; readonly reason: string};

const headBytes = 4096;
const interpreterType = 3; // PT_INTERP

/**
The loader that a 64-bit ELF file names in its header (elf(5)); undefined for a static program.

@throws {RangeError} for a file that is not such a program.
*/
export function loaderOf(head: Uint8Array): string | undefined {
	const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
	if (head.length < 64 || view.getUint32(0) !== 0x7F_45_4C_46 || view.getUint8(4) !== 2 || view.getUint8(5) !== 1) {
		throw new RangeError('it is not a 64-bit ELF program');
	}

	const [start, size, count] = [Number(view.getBigUint64(32, true)), view.getUint16(54, true), view.getUint16(56, true)];
	for (let index = 0; index < count; index++) {
		const at = start + (index * size);
		if (at + 40 <= head.length && view.getUint32(at, true) === interpreterType) {
			const [offset, length] = [8, 32].map(field => Number(view.getBigUint64(at + field, true))) as [number, number];
			if (offset + length > head.length) {
				throw new RangeError('the name of its loader is beyond its header');
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

/** The interpreter that a script names in its first line (execve(2)); undefined for a file that is not a script. */
export function interpreterOf(head: Uint8Array): string | undefined {
	const [first = ''] = new TextDecoder('latin1').decode(head.subarray(0, 256)).split('\n');
	return /^#!\s*(?<file>\/\S+)/u.exec(first)?.groups?.['file'];
}

/** The further files that the kernel opens to start a file. */
function startedBy(file: string): readonly string[] {
	const head = headOf(file);
	const interpreter = interpreterOf(head);
	const loader = loaderOf(interpreter === undefined ? head : headOf(interpreter));
	return [interpreter, loader].filter(name => name !== undefined);
}

/** Looks all programs up. One that is not on this machine is in neither list. */
export function findPrograms(names: readonly string[], searchPath: string): {readonly found: readonly FoundProgram[]; readonly unusable: readonly UnusableProgram[]} {
	const found: FoundProgram[] = [];
	const unusable: UnusableProgram[] = [];
	for (const name of names) {
		const place = findProgram(name, searchPath);
		try {
			if (place !== undefined) {
				const file = realpathSync(place);
				found.push({
					name, place, file, startedBy: startedBy(file),
				});
			}
		} catch (error) {
			unusable.push({name, reason: `${place!}: ${(error as Error).message}`});
		}
	}

	return {found, unusable};
}
