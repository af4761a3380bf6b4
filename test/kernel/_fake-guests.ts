/**
A machine for `testbed kernels` on which nothing is fetched and no kernel boots: programs by the same names, and images in a cache of its own.
*/

import {
	chmodSync, mkdirSync, readdirSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {dir} from 'tmp-promise';
import {cacheFolder} from '../../testbed/kernels/cache.js';
import {kernelRecipe, rootRecipe, type KernelNote} from '../../testbed/kernels/images.js';
import {testbed, type Ended} from './_cli.js';

/** What a guest's disk for results gets: a status, and what uname and the command say there. */
const results = (status: number, {release = '$release', summary = '{"passed":18,"failed":0,"inconclusive":0}', doctor = ''}: {
	readonly release?: string; readonly summary?: string; readonly doctor?: string;
} = {}): string => String.raw`
out=$(mktemp -d)
echo ${status} >"$out/status"
echo "${release}" >"$out/release"
printf '%s' '{"summary":${summary}}' >"$out/report.json"
printf '%s\n' 'said in the guest' >"$out/stdout"
${doctor === '' ? '' : `printf '%s' '${doctor}' >"$out/doctor.json"`}
tar -cf "$results" -C "$out" .
rm -r "$out"`;

/** Before every guest: which it is by the arguments. */
const head = `
kernel= results= accel= probe=
for word; do
	case $word in
	*/vmlinuz) kernel=$word;;
	file=*.results,*) results=\${word#file=}; results=\${results%%,*};;
	kvm) accel=kvm;;
	tcg,*) accel=tcg;;
	*testbed.probe*) probe=yes;;
	esac
done
release=\${kernel%/vmlinuz}; release=\${release##*/kernel-}
echo "$$ $accel $probe" >>"$FAKE_LOG"`;

/** Ways in which a fake QEMU behaves, as shell scripts: the first part when KVM is tried, the others as a guest. */
export const guests = {
	kvmWorks: '[ -z "$probe" ] || { echo "guest: alive"; exit 0; }',
	kvmHangs: '[ -z "$probe" ] || exec sleep 600',
	kvmRefused: '[ "$accel" != kvm ] || { echo "qemu-system-x86_64: Could not access KVM kernel module: Permission denied" >&2; exit 1; }',
	up: String.raw`printf "guest: up after 2.50 s, Linux $release\r\nguest: testbed\r\n"`,
	passes: results(0),
	fails: results(1, {summary: '{"passed":17,"failed":1,"inconclusive":0}'}),
	refuses: results(2, {summary: '{}'}),
	lacks: results(3, {summary: '{"passed":12,"failed":0,"inconclusive":6}', doctor: '{"version":2,"findings":[{"what":"iptables-legacy, ipv4: table nat","group":"a","use":"every set","needs":"iptable_nat","fix":"modprobe iptable_nat","ok":false,"reason":"no"}],"commands":[]}'}),
	isAnother: results(0, {release: '6.18.44'}),
	panics: String.raw`printf "Kernel panic - not syncing: no root\r\n"; exit 0`,
	hangs: 'exec sleep 600',
} as const;

/** Apt as it is without a network, with the words of apt 2.6. */
export const withoutNetwork = `case " $* " in
*" update "*) echo "Err:1 http://deb.debian.org/debian trixie InRelease"; echo "W: Failed to fetch http://deb.debian.org/debian/dists/trixie/InRelease  Temporary failure resolving 'deb.debian.org'" >&2; echo "W: Some index files failed to download. They have been ignored, or old ones used instead." >&2;;
*" indextargets "*) ;;
*) echo "E: no" >&2; exit 100;;
esac`;

/** The kernels of a fake apt-cache. */
export const twoKernels = `case " $* " in
*" pkgnames "*) printf '%s\\n' linux-image-6.1.0-57-cloud-amd64 linux-image-6.12.118+deb13-cloud-amd64;;
*" madison "*) printf '%s\\n' 'linux-image-6.1.0-57-cloud-amd64 | 6.1.192-3 | x' 'linux-image-6.12.118+deb13-cloud-amd64 | 6.12.118-1 | x';;
esac`;

/** Kernels in the cache, by series. */
const releases: Readonly<Record<string, readonly [release: string, version: string]>> = {
	6.1: ['6.1.0-57-cloud-amd64', '6.1.192-3'],
	6.12: ['6.12.118+deb13-cloud-amd64', '6.12.118-1'],
};

/** Such a machine. */
export class FakeMachine implements AsyncDisposable {
	/** Creates one. `qemu` is the parts of its script; `cached` the series in the cache, with the root disk if there is one; `programs` further scripts by name. */
	static async create({qemu, cached = [], programs = {}}: {
		readonly qemu?: readonly string[]; readonly cached?: readonly string[]; readonly programs?: Readonly<Record<string, string>>;
	}): Promise<FakeMachine> {
		const folder = await dir({unsafeCleanup: true});
		const machine = new FakeMachine(folder.path, folder.cleanup);
		mkdirSync(machine.programs);
		mkdirSync(path.join(folder.path, 'work'));
		const scripts = {
			// The disks of a fake guest are empty: nobody mounts them.
			mke2fs: 'for word; do case $word in *.ext4) : >"$word";; esac; done',
			...(qemu === undefined ? {} : {'qemu-system-x86_64': [head, ...qemu].join('\n')}),
			...programs,
		};
		for (const [name, text] of Object.entries(scripts)) {
			writeFileSync(path.join(machine.programs, name), `#!/bin/sh\n${text}\n`);
			chmodSync(path.join(machine.programs, name), 0o755);
		}

		for (const series of cached) {
			const [release, version] = releases[series]!;
			machine.#keep(`kernel-${release}`, ['vmlinuz', 'initramfs', 'modules.ext4'], {
				kernel: {series, name: `linux-image-${release}`, version, release}, isNewest: series === '6.12', recipe: kernelRecipe, fetched: '2026-11-30',
			} satisfies KernelNote);
		}

		if (cached.length > 0) {
			machine.#keep(`root-${rootRecipe}`, ['root.ext4'], {});
		}

		return machine;
	}

	readonly programs: string;
	readonly log: string;
	readonly environment: Readonly<Record<string, string>>;
	readonly #folder: string;
	readonly #cleanup: () => Promise<void>;

	private constructor(folder: string, cleanup: () => Promise<void>) {
		this.#folder = folder;
		this.#cleanup = cleanup;
		this.programs = path.join(folder, 'programs');
		this.log = path.join(folder, 'log');
		this.environment = {PATH: `${this.programs}:${process.env['PATH']!}`, XDG_CACHE_HOME: path.join(folder, 'cache'), FAKE_LOG: this.log, TMPDIR: path.join(folder, 'work')};
	}

	/** The folder of its images. */
	get cache(): string {
		return cacheFolder(this.environment);
	}

	/** What is in the cache. */
	entries(): readonly string[] {
		return readdirSync(this.cache).filter(name => /^(?:kernel|root|work)-/u.test(name)).toSorted();
	}

	/** What runs have left in the folder for temporary files. */
	leftovers(): readonly string[] {
		return readdirSync(path.join(this.#folder, 'work')).filter(name => name.startsWith('testbed-'));
	}

	/** `testbed kernels` there, to its end. */
	async run(given: readonly string[]): Promise<Ended> {
		return testbed(['kernels', ...given], {env: this.environment});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#cleanup();
	}

	#keep(name: string, files: readonly string[], note: object): void {
		const folder = path.join(this.cache, name);
		mkdirSync(folder, {recursive: true});
		for (const file of files) {
			writeFileSync(path.join(folder, file), '');
		}

		writeFileSync(path.join(folder, 'about.json'), JSON.stringify(note));
	}
}
