/**
Runs a command line of the testbed, of this build or of another, and measures what it took: by the clock, of the processors, and the most memory of its main process.
*/

import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {performance} from 'node:perf_hooks';
import {packageRoot} from '../system/package-root.js';

/** What a command took. Processor time is that of the command and everything that it started. `isCut`: it was ended because it took too long. */
export type Cost = {readonly clockSeconds: number; readonly processorSeconds: number; readonly memoryMiB: number; readonly status: number; readonly isCut: boolean};

const ticksPerSecond = 100; // USER_HZ, the unit of /proc/PID/stat on all architectures (proc(5)).
const lookMs = 20;

/** Processor seconds of all children that have ended: cutime and cstime, fields 16 and 17. What is in front of field 3 may have blanks. */
function childSeconds(): number {
	const fields = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\) /su, '').split(' ');
	return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

/** The most memory that a process has had so far (VmHWM), in MiB; undefined once it has ended. */
function peakOf(pid: number): number | undefined {
	try {
		const kibibytes = /^VmHWM:\s+(?<size>\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.groups?.['size'];
		return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
	} catch {
		return undefined;
	}
}

/** Runs `testbed` with arguments. `folder` is the checkout of the build; by default this one. With `limitSeconds`, it is interrupted after that time; its memory is then what it had until then. */
export async function timeCommand(words: readonly string[], {folder = packageRoot, limitSeconds}: {readonly folder?: string | undefined; readonly limitSeconds?: number} = {}): Promise<Cost> {
	const before = childSeconds();
	const startedAt = performance.now();
	const child = spawn(process.execPath, [path.join(folder, 'scripts/testbed.cjs'), ...words], {stdio: 'ignore', cwd: folder});
	let memoryMiB = 0;
	const looking = setInterval(() => {
		memoryMiB = Math.max(memoryMiB, peakOf(child.pid!) ?? 0);
	}, lookMs);
	let isCut = false;
	const limit = limitSeconds === undefined
		? undefined
		: setTimeout(() => {
			isCut = child.kill('SIGKILL');
		}, limitSeconds * 1000);
	try {
		const status = await new Promise<number>((resolve, reject) => {
			child.on('error', reject);
			child.on('exit', code => {
				resolve(code ?? -1);
			});
		});
		return {
			clockSeconds: (performance.now() - startedAt) / 1000, processorSeconds: childSeconds() - before, memoryMiB, status, isCut,
		};
	} finally {
		clearInterval(looking);
		clearTimeout(limit);
	}
}

/** The median of some numbers. */
export function medianOf(values: readonly number[]): number {
	const sorted = values.toSorted((one, other) => one - other);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The medians of several rounds. The status is that of the last. */
export function medianCost(costs: readonly Cost[]): Cost {
	return {
		clockSeconds: medianOf(costs.map(cost => cost.clockSeconds)),
		processorSeconds: medianOf(costs.map(cost => cost.processorSeconds)),
		memoryMiB: medianOf(costs.map(cost => cost.memoryMiB)),
		status: costs.at(-1)?.status ?? -1,
		isCut: costs.some(cost => cost.isCut),
	};
}
