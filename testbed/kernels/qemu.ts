/**
Starts QEMU. Nothing but virtio disks and ext4 is asked of the kernel in it: Debian's cloud kernels know no shared folders.
*/

import {performance} from 'node:perf_hooks';
import {describeEnd, runLong, type ProgramEnd} from '../system/long-program.js';
import type {KernelFiles} from './kernel-files.js';

/** Who runs the guest's code: the processor (kvm), or QEMU's emulation (tcg). */
export type Accelerator = 'kvm' | 'tcg';

/** Which program it is. */
export const qemuProgram = 'qemu-system-x86_64';

/** Emulated is an old processor: with the newest one (`max`), programs use wide vectors, whose emulation took twice the time (QEMU 7.2). */
const machine: Readonly<Record<Accelerator, readonly string[]>> = {
	kvm: ['-accel', 'kvm', '-cpu', 'host'],
	tcg: ['-accel', 'tcg,thread=multi', '-cpu', 'Nehalem'],
};

/** On a busy machine, a kernel takes the emulated counter for broken and reads an emulated clock instead, which is slow. */
const kernelWords: Readonly<Record<Accelerator, readonly string[]>> = {kvm: [], tcg: ['tsc=reliable']};

/** Processors and memory of a guest. */
const size = ['-smp', '2', '-m', '2G'] as const;

/** A disk of a guest. Changes to one of `own` are kept in a temporary file, so every guest begins with the same. */
export type Disk = {readonly file: string; readonly kind: 'own' | 'read' | 'results'};

const diskOptions = {own: 'snapshot=on', read: 'readonly=on', results: 'readonly=off'} as const;

function argumentOf({file, kind}: Disk): string {
	// QEMU takes a doubled comma as one.
	return `file=${file.replaceAll(',', ',,')},if=virtio,format=raw,cache=unsafe,${diskOptions[kind]}`;
}

/** The arguments of QEMU. `words` go to the kernel's command line. */
export function qemuArguments({files, accelerator, disks, words = []}: {
	readonly files: KernelFiles; readonly accelerator: Accelerator; readonly disks: readonly Disk[]; readonly words?: readonly string[];
}): readonly string[] {
	return [
		'-machine', 'q35', ...machine[accelerator], ...size, '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio', '-device', 'virtio-rng-pci',
		'-kernel', files.vmlinuz, '-initrd', files.initramfs,
		'-append', ['console=ttyS0', 'quiet', 'loglevel=4', 'panic=-1', 'random.trust_cpu=on', 'mitigations=off', ...kernelWords[accelerator], ...words].join(' '),
		...disks.flatMap(disk => ['-drive', argumentOf(disk)]),
	];
}

/** What a guest did: the milliseconds from power-on to its first process on the root disk (null if it never came), and all in all; the lines that it printed; how QEMU ended. */
export type Booted = {
	readonly upMs: number | null; readonly durationMs: number; readonly lines: readonly string[]; readonly end: ProgramEnd;
};

/** The line that a guest prints when its own init process starts. */
const upLine = 'guest: up after';

/**
Boots a guest and waits until it has powered itself off, or the time is over.

@throws {TestbedError} INTERRUPTED after QEMU has ended.
*/
export async function bootGuest(guest: Parameters<typeof qemuArguments>[0], {signal, limitMs, onLine}: {
	readonly signal: AbortSignal; readonly limitMs: number; readonly onLine?: (line: string) => void;
}): Promise<Booted> {
	const start = performance.now();
	const lines: string[] = [];
	let upMs: number | null = null;
	const end = await runLong(qemuProgram, qemuArguments(guest), {
		signal, timeoutMs: limitMs,
		onLine(given) {
			const line = given.replace(/\r$/u, '');
			lines.push(line);
			if (upMs === null && line.startsWith(upLine)) {
				upMs = performance.now() - start;
			}

			onLine?.(line);
		},
	});
	return {upMs, durationMs: performance.now() - start, lines, end};
}

/** Why a guest left no result, in one sentence: what the kernel or QEMU said last. */
export function complaintAbout({upMs, lines, end}: Booted, limitMs: number): string {
	const panic = lines.find(line => /Kernel panic|^guest: (?:no|the) /u.test(line));
	const last = panic ?? lines.findLast(line => line.trim() !== '');
	const said = last === undefined ? '' : ` The last that it printed: ${last.trim()}`;
	if (end.isOverTime) {
		return `The guest ${upMs === null ? 'did not boot' : 'booted, but did not finish'} within ${limitMs / 1000} s and was ended.${said}`;
	}

	if (end.exitCode !== 0) {
		return `QEMU ${describeEnd(end)}`;
	}

	return `The guest ${upMs === null ? 'powered off before it had booted' : 'ended before its command did'}.${said}`;
}
