/**
Landlock (landlock(7), linux/landlock.h): permanently restricts what this thread and its future child processes may do with files. Numbers are the same on every architecture.
*/

import {closeSync} from 'node:fs';
import {checked, libc} from './libc.js';
import {openPath} from './mounts.js';

const libcCreateRuleset = libc.func('long syscall(long number, const void *attributes, unsigned long size, unsigned int flags)');
const libcAddRule = libc.func('long syscall(long number, int ruleset, int type, const void *attributes, unsigned int flags)');
const libcRestrictSelf = libc.func('long syscall(long number, int ruleset, unsigned int flags)');

const numbers = {createRuleset: 444, addRule: 445, restrictSelf: 446} as const;
const createRulesetVersion = 1;
const rulePathBeneath = 1;

/** Rights over files (LANDLOCK_ACCESS_FS_…). */
export const fileRights = {
	execute: 1n << 0n, writeFile: 1n << 1n, readFile: 1n << 2n, readFolder: 1n << 3n,
} as const;

/** How many file rights the interface knows from which version on: 1 (Linux 5.13) up to MAKE_SYM, 2 (5.19) REFER, 3 (6.2) TRUNCATE, 5 (6.10) IOCTL_DEV. */
const knownFileRights = [[5, 16n], [3, 15n], [2, 14n], [1, 13n]] as const;

/** All rights that the version knows: a right that is handled but not allowed is denied. Unknown rights must not be requested. */
function handledFileRights(version: number): bigint {
	const [, count] = knownFileRights.find(([since]) => version >= since)!;
	return (1n << count) - 1n;
}

const handledNetRights = 3n; // BIND_TCP and CONNECT_TCP, since version 4 (6.7).
const scopes = 3n; // Abstract UNIX sockets and signals, since version 6 (6.12).

/** The rights that apply to files: a rule for a single file must not include others. */
const ofFiles = fileRights.execute | fileRights.writeFile | fileRights.readFile;

/** The version of Landlock's interface; 0 on a kernel without it, or if it was not enabled at boot. */
export function landlockVersion(): number {
	return Math.max(0, Number(libcCreateRuleset(numbers.createRuleset, null, 0, createRulesetVersion)));
}

/** One rule: rights that stay allowed on a file, or on a folder and everything below it. */
export type LandlockRule = {readonly path: string; readonly isFolder: boolean; readonly rights: bigint};

/**
Denies this thread, and every process that it starts from now on, all file rights except those of the rules; and whatever else the version of Landlock can deny: TCP, and abstract UNIX sockets and signals to processes outside.

@throws {TestbedError} SYSCALL_FAILED, also if a path does not exist.
*/
export function restrictFiles(version: number, rules: readonly LandlockRule[]): void {
	const attributes = BigUint64Array.of(handledFileRights(version), version >= 4 ? handledNetRights : 0n, version >= 6 ? scopes : 0n);
	const size = version >= 6 ? 24 : (version >= 4 ? 16 : 8);
	const ruleset = checked('landlock_create_ruleset', Number(libcCreateRuleset(numbers.createRuleset, attributes, size, 0)));
	try {
		for (const rule of rules) {
			addRule(ruleset, rule);
		}

		checked('landlock_restrict_self', Number(libcRestrictSelf(numbers.restrictSelf, ruleset, 0)));
	} finally {
		closeSync(ruleset);
	}
}

function addRule(ruleset: number, {path, isFolder, rights}: LandlockRule): void {
	const fd = openPath(path);
	try {
		// `struct landlock_path_beneath_attr` is packed: 12 bytes.
		const attributes = new Uint8Array(12);
		const view = new DataView(attributes.buffer);
		view.setBigUint64(0, isFolder ? rights : rights & ofFiles, true);
		view.setInt32(8, fd, true);
		checked(`landlock_add_rule for ${path}`, Number(libcAddRule(numbers.addRule, ruleset, rulePathBeneath, attributes, 0)));
	} finally {
		closeSync(fd);
	}
}
