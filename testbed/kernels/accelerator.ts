/**
Whether KVM can be used: by booting a kernel with it. That /dev/kvm opens proves nothing: some of them run only kernels that were built for them, and a stock kernel hangs before its first line.
*/

import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {KernelFiles} from './kernel-files.js';
import {bootGuest, type Accelerator} from './qemu.js';

/** The choice, and the reason in words that follow `TCG:`; null for KVM and where TCG was asked for. */
export type Choice = {readonly name: Accelerator; readonly because: string | null};

/** How long a kernel may take to start with KVM; it takes about a second. */
const probeLimitMs = 8000;

/** The line that the initramfs prints, and then powers off. */
const aliveLine = 'guest: alive';

const noteName = 'accelerator.json';

/** A choice is remembered until the machine boots again. */
function bootId(): string {
	try {
		return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
	} catch {
		return '';
	}
}

function recall(file: string, id: string): Choice | undefined {
	try {
		const note = JSON.parse(readFileSync(file, 'utf8')) as {readonly bootId?: string; readonly choice?: Choice};
		return id !== '' && note.bootId === id && note.choice?.name === 'tcg' ? note.choice : undefined;
	} catch {
		return undefined; // Nobody has tried yet.
	}
}

/**
Boots a kernel with KVM as far as its initramfs.

@throws {TestbedError} INTERRUPTED.
*/
export async function chooseAccelerator(files: KernelFiles, {signal, wanted, folder, limitMs = probeLimitMs}: {
	readonly signal: AbortSignal; readonly wanted: Accelerator | 'auto'; readonly folder: string; readonly limitMs?: number;
}): Promise<Choice> {
	if (wanted !== 'auto') {
		return {name: wanted, because: null};
	}

	const [file, id] = [path.join(folder, noteName), bootId()];
	const known = recall(file, id);
	if (known !== undefined) {
		return known;
	}

	const {lines, end} = await bootGuest({files, accelerator: 'kvm', disks: [], words: ['testbed.probe']}, {signal, limitMs});
	if (lines.includes(aliveLine) && !end.isOverTime && end.exitCode === 0) {
		rmSync(file, {force: true});
		return {name: 'kvm', because: null};
	}

	const complaint = lines.find(line => /kvm/iu.test(line));
	const choice: Choice = {
		name: 'tcg',
		because: end.isOverTime || complaint === undefined
			? `with KVM, a kernel ${end.isOverTime ? `did not start within ${limitMs / 1000} s` : 'did not start'}`
			: complaint.replace(/^qemu-system-x86_64: /u, '').trim(),
	};
	writeFileSync(file, `${JSON.stringify({bootId: id, choice})}\n`);
	return choice;
}

/** Forgets what was tried. */
export function forgetAccelerator(folder: string): void {
	rmSync(path.join(folder, noteName), {force: true});
}
