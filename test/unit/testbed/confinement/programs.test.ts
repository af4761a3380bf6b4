/** What the head of a program tells of how it is started. */

import {Buffer} from 'node:buffer';
import {readFileSync} from 'node:fs';
import process from 'node:process';
import test from 'ava';
import {confinedPrograms, interpreterOf, loaderOf} from '../../../../testbed/confinement/programs.js';

/** The head of an ELF file of 64 bits, little-endian, whose second program header names a loader. */
function elf({loader, offset = 0x40 + (2 * 56)}: {readonly loader?: string; readonly offset?: number} = {}): Uint8Array {
	const bytes = Buffer.alloc(4096);
	bytes.set([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1]);
	bytes.writeBigUInt64LE(0x40n, 32);
	bytes.writeUInt16LE(56, 54);
	bytes.writeUInt16LE(2, 56);
	bytes.writeUInt32LE(6, 0x40); // PT_PHDR
	if (loader !== undefined) {
		const second = 0x40 + 56;
		bytes.writeUInt32LE(3, second);
		bytes.writeBigUInt64LE(BigInt(offset), second + 8);
		bytes.writeBigUInt64LE(BigInt(loader.length + 1), second + 32);
		bytes.write(`${loader}\0`, offset);
	}

	return bytes;
}

test('a program names its loader, a static one none', t => {
	t.is(loaderOf(elf({loader: '/lib/ld-musl-aarch64.so.1'})), '/lib/ld-musl-aarch64.so.1');
	t.is(loaderOf(elf()), undefined);
	// Node itself: of this machine, whatever it is.
	t.regex(loaderOf(readFileSync(process.execPath).subarray(0, 4096)) ?? '', /^\/.*ld/u);
});

test('what is no such program is refused', t => {
	const of32 = elf();
	of32[4] = 1;
	const bigEndian = elf();
	bigEndian[5] = 2;
	for (const head of [Buffer.from('#!/bin/sh\n'), Buffer.alloc(0), of32, bigEndian]) {
		t.throws(() => loaderOf(head), {instanceOf: RangeError, message: /not a 64-bit ELF program/u});
	}

	t.throws(() => loaderOf(elf({loader: '/lib/ld', offset: 4095})), {instanceOf: RangeError, message: /beyond its head/u});
});

test('a script names its interpreter', t => {
	for (const [head, interpreter] of [['#!/bin/sh\n', '/bin/sh'], ['#! /usr/bin/env -S perl\n', '/usr/bin/env'], ['#!sh\n', undefined], ['echo\n#!/bin/sh\n', undefined], ['', undefined]] as const) {
		t.is(interpreterOf(Buffer.from(head)), interpreter, head);
	}
});

test('all programs that are given rules are confined, by every name, and those whose versions are reported', t => {
	t.deepEqual(confinedPrograms.toSorted(), [
		'ip', 'ip6tables-legacy-restore', 'ip6tables-legacy-save', 'ip6tables-nft-restore', 'ip6tables-nft-save',
		'iptables-legacy', 'iptables-legacy-restore', 'iptables-legacy-save', 'iptables-nft', 'iptables-nft-restore', 'iptables-nft-save', 'nft',
	]);
});
