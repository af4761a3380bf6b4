/**
A control group in which processes get a part of one processor's time (cpu.cfs_quota_us of version 1, cpu.max of version 2; Documentation/scheduler/sched-bwc and admin-guide/cgroup-v2 of the kernel). It is made below the one in which the test runs, holds only what the test puts there, and is taken away again.
*/

import {
	mkdirSync, readFileSync, rmdirSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {until} from '../kernel/_cli.js';

const periodUs = 100_000; // The kernel's default.

/** Where a test can make control groups for processors. */
type Parent = {readonly version: 1 | 2; readonly folder: string};

/** The folder of this process's group in a mounted hierarchy. */
function folderOf(mountPoint: string, mountRoot: string, group: string): string {
	return path.join(mountPoint, group.startsWith(mountRoot) ? path.relative(mountRoot, group) : group);
}

function parents(): readonly Parent[] {
	const groups = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n').map(line => /^\d+:(?<controllers>[^:]*):(?<group>.*)$/u.exec(line)!.groups!);
	// Mountinfo: id, parent, device, root, mount point, options, then after a dash type, source, options of the file system (proc_pid_mountinfo(5)).
	const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n').map(line => {
		const [before, after] = line.split(' - ') as [string, string];
		const [root, mountPoint] = before.split(' ').slice(3) as [string, string];
		const [type, _, options] = after.split(' ') as [string, string, string];
		return {
			root, mountPoint, type, options,
		};
	});
	return mounts.flatMap(({root, mountPoint, type, options}): readonly Parent[] => {
		if (type === 'cgroup' && options.split(',').includes('cpu')) {
			const own = groups.find(({controllers}) => controllers!.split(',').includes('cpu'));
			return own === undefined ? [] : [{version: 1, folder: folderOf(mountPoint, root, own['group']!)}];
		}

		const own = groups.find(({controllers}) => controllers === '');
		return type === 'cgroup2' && own !== undefined ? [{version: 2, folder: folderOf(mountPoint, root, own['group']!)}] : [];
	});
}

let made = 0;

/** A group with a quota. Who makes it disposes of it, when nothing runs in it any more. */
export class QuotaGroup implements AsyncDisposable {
	/** Makes one, or says why none can be had here. */
	static create(percent: number): QuotaGroup | {readonly obstacle: string} {
		const obstacles: string[] = [];
		for (const {version, folder} of parents()) {
			const own = path.join(folder, `testbed-test-${process.pid}-${++made}`);
			try {
				mkdirSync(own);
			} catch (error) {
				obstacles.push((error as Error).message);
				continue;
			}

			try {
				const quotaUs = periodUs * percent / 100;
				if (version === 1) {
					writeFileSync(path.join(own, 'cpu.cfs_period_us'), String(periodUs));
					writeFileSync(path.join(own, 'cpu.cfs_quota_us'), String(quotaUs));
				} else {
					writeFileSync(path.join(own, 'cpu.max'), `${quotaUs} ${periodUs}`);
				}

				return new QuotaGroup(own);
			} catch (error) {
				obstacles.push((error as Error).message);
				rmdirSync(own);
			}
		}

		return {obstacle: obstacles.length === 0 ? 'no hierarchy of control groups that could limit processors is mounted' : obstacles.join('; ')};
	}

	readonly #folder: string;

	private constructor(folder: string) {
		this.#folder = folder;
	}

	/** What stands before a command so that it, and all that it starts, runs in this group. */
	get prefix(): readonly [string, ...string[]] {
		return ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', this.#folder];
	}

	/** How often the kernel has made its processes wait because the quota was used up. */
	get throttled(): number {
		return Number(/^nr_throttled (?<times>\d+)$/mu.exec(readFileSync(path.join(this.#folder, 'cpu.stat'), 'utf8'))?.groups?.['times']);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await until('the group is empty', () => readFileSync(path.join(this.#folder, 'cgroup.procs'), 'utf8') === '' ? true : undefined);
		rmdirSync(this.#folder);
	}
}
