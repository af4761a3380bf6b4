import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {jobFolder, rowOf} from '../jobs.mjs';
import {run} from '../private.mjs';
import {makeRoot, runInRoot} from '../roots.mjs';
import {environmentOf, withoutNpm} from '../settings.mjs';
import {installToolchain, npmOfNode} from '../toolchain.mjs';

/*
Debian's own kernels in QEMU with emulation (TCG): a stock kernel does not run everywhere that has a /dev/kvm, and answers matter here, not times.
The user land is a Debian root with its iptables and nft; the testbed is installed there as `npm pack` packs it. Nothing but virtio disks and ext4 is asked of the kernel.
*/

const guestFolder = path.join(import.meta.dirname, '../guest');
const limitMs = 40 * 60_000;

/** The disk for a job's results. */
const resultsBytes = 128_000_000;
const programs = ['iptables', 'nftables', 'iproute2', 'kmod'];

/** The suites and the package names (without `linux-image-`) of the kernels. The cloud flavor has fewer modules and boots faster; its netfilter is the same. */
const kernels = {
	'5.10': String.raw`5\.10\.0-[0-9]+-cloud-amd64`,
	6.1: String.raw`6\.1\.0-[0-9]+-cloud-amd64`,
	6.12: String.raw`6\.12\.[0-9]+\+deb13(\+[0-9]+)?-cloud-amd64`,
	'7.x': String.raw`7\.[0-9.]+\+deb13(\+[0-9]+)?-cloud-amd64`,
};
const kernelSuites = ['bullseye', 'bookworm', 'trixie', 'trixie-backports'];

/** Debian 12 with an official Node, because its own is too old; Debian 13 with its own. */
const userLands = {
	bookworm: {packages: [...programs, 'ca-certificates'], node: '20'},
	trixie: {packages: [...programs, 'nodejs'], node: undefined},
};

/** Things made once per run, by name; failures are kept as well, so that each cell that needs one can report why. */
function once(context, name, make) {
	context.made ??= new Map();
	if (!context.made.has(name)) {
		context.made.set(name, make());
	}

	return context.made.get(name);
}

async function must(problem) {
	const reason = await problem;
	if (reason !== undefined) {
		throw new Error(reason);
	}
}

async function mustRun(command, options, what) {
	const {status, ending, text} = await run(command, {onLine() {}, ...options});
	if (status !== 0) {
		throw new Error(`${what} ended with ${ending}: ${text.trim().split('\n').slice(-2).join(' ')}`);
	}
}

/** The root in which kernels are unpacked, with the suites that have them. */
function toolsRoot(context) {
	return once(context, 'tools', async () => {
		const folder = path.join(context.work, 'tools');
		await must(makeRoot({suite: 'trixie', packages: ['busybox-static', 'cpio', 'e2fsprogs', 'kmod', 'xz-utils', 'zstd'], folder, settings: context.settings, say: context.say}));
		fs.cpSync(guestFolder, path.join(folder, 'srv/guest'), {recursive: true});
		fs.writeFileSync(path.join(folder, 'etc/apt/sources.list'), kernelSuites.map(suite => `deb ${context.settings.mirror} ${suite} main\n`).join(''));
		const {status, ending, text} = await runInRoot(['apt-get', '-q', 'update'], {folder, settings: context.settings, onLine() {}});
		if (status !== 0) {
			throw new Error(`apt-get update for ${kernelSuites.join(', ')} ended with ${ending}: ${text.trim().split('\n').at(-1)}`);
		}

		return folder;
	});
}

/** Makes the files of a kernel, its initramfs and its modules. */
function kernelFiles(context, release) {
	return once(context, `kernel ${release}`, async () => {
		const folder = await toolsRoot(context);
		const {status, ending, text} = await runInRoot(['sh', '/srv/guest/make-kernel.sh', kernels[release], `/srv/kernel-${release}`], {folder, settings: context.settings, onLine() {}});
		if (status !== 0) {
			throw new Error(`fetching kernel ${release} ended with ${ending}: ${text.trim().split('\n').at(-1)}`);
		}

		return path.join(folder, `srv/kernel-${release}`);
	});
}

/** The testbed as packed by npm, as users install it. */
function packedTestbed(context) {
	return once(context, 'packed', async () => {
		const folder = path.join(context.work, 'packed');
		const env = {...withoutNpm(process.env), ...environmentOf(context.settings, context.certificatesFile, context.cache)};
		await mustRun(['git', 'clone', '--quiet', context.source, folder], {env}, 'git clone');
		await mustRun(['npm', 'run', 'build'], {env, cwd: folder}, 'npm run build');
		await mustRun(['npm', 'pack', '--ignore-scripts'], {env, cwd: folder}, 'npm pack');
		const name = fs.readdirSync(folder).find(file => file.endsWith('.tgz'));
		return {file: path.join(folder, name), env};
	});
}

/** The disk of a userland, with the testbed and the job. */
function rootDisk(context, suite) {
	return once(context, `root ${suite}`, async () => {
		const folder = path.join(context.work, `root-${suite}`);
		const {packages, node} = userLands[suite];
		await must(makeRoot({suite, packages, folder, settings: context.settings, say: context.say}));
		if (node !== undefined) {
			await must(installToolchain({node, npm: npmOfNode[node], folder: path.join(folder, 'opt/node'), cache: context.cache}));
		}

		const {file, env} = await packedTestbed(context);
		await mustRun(['npm', 'install', '--prefix', path.join(folder, 'opt/testbed'), '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', file], {env, cwd: context.work}, 'npm install of the packed testbed');
		fs.cpSync(guestFolder, path.join(folder, 'srv/guest'), {recursive: true});
		fs.cpSync(jobFolder, path.join(folder, 'srv/job'), {recursive: true});
		if (context.batch !== '') {
			fs.copyFileSync(context.batch, path.join(folder, 'srv/batch.jsonl'));
		}

		const image = `${folder}.ext4`;
		const room = 600; // Megabytes for what a job writes.
		const size = await sizeOf(folder);
		await mustRun(['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-d', folder, image, `${Math.ceil(size * 1.3) + room}M`], {}, 'mke2fs');
		fs.rmSync(folder, {recursive: true});
		return image;
	});
}

async function sizeOf(folder) {
	const {text} = await run(['du', '-sm', folder], {onLine() {}});
	return Number.parseInt(text, 10);
}

const disk = (file, options) => ['-drive', `file=${file},if=virtio,format=raw,cache=unsafe,${options}`];

/** Boots a guest, waits until it has powered itself off, and unpacks what its job left. */
async function boot({files, image, steps, preset, out, context}) {
	const results = `${out}.tar`;
	fs.mkdirSync(out, {recursive: true});
	fs.writeFileSync(results, '');
	fs.truncateSync(results, resultsBytes);
	const {status, ending, text} = await run([
		'qemu-system-x86_64', '-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '2G', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio',
		'-device', 'virtio-rng-pci', '-kernel', path.join(files, 'vmlinuz'), '-initrd', path.join(files, 'initramfs'),
		'-append', `console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off matrix.steps=${steps.join(',')} matrix.preset=${preset.join(',')}`,
		// Changes to the root disk go to a temporary file, so every guest starts with the same disk.
		...disk(image, 'snapshot=on'), ...disk(path.join(files, 'modules.ext4'), 'readonly=on'), ...disk(results, 'readonly=off'),
	], {
		onLine(line) {
			context.say(line.trimEnd());
		},
		limitMs,
	});
	// A guest that did not finish leaves an empty disk: then there is no result, and the cell fails.
	await run(['tar', '-xf', results, '-C', out], {onLine() {}});
	fs.rmSync(results);
	return status === 0 ? 'the guest powered off' : `qemu-system-x86_64: ${ending}: ${text.trim().split('\n').at(-1)}`;
}

const all = ['doctor', 'types', 'batch', 'diff'];

function kernelCell({machine, release, suite, preset = [], steps = all}) {
	return {
		part: 'kernels', machine, needs: ['mmdebstrap', 'git', 'qemu-system-x86_64', 'mke2fs'], inCi: false,
		async run(context) {
			const name = `kernel-${machine.toLowerCase().replaceAll(/[^a-z\d.]+/g, '-')}`;
			const out = path.join(context.work, name);
			const files = await kernelFiles(context, release);
			const image = await rootDisk(context, suite);
			const ending = await boot({files, image, steps, preset, out, context});
			const row = await rowOf({out, asked: steps, ending, context});
			context.keep(out, name);
			return row;
		},
	};
}

export const kernelCells = [
	kernelCell({machine: 'kernel 5.10, Debian 12', release: '5.10', suite: 'bookworm'}),
	kernelCell({machine: 'kernel 6.1, Debian 12', release: '6.1', suite: 'bookworm'}),
	kernelCell({machine: 'kernel 6.12, Debian 13', release: '6.12', suite: 'trixie'}),
	kernelCell({machine: 'kernel 6.12, as kube-proxy sets it', release: '6.12', suite: 'trixie', preset: ['kube-proxy']}),
	kernelCell({machine: 'kernel 6.12, no legacy tables', release: '6.12', suite: 'trixie', preset: ['no-legacy'], steps: ['lacking', 'diff']}),
	kernelCell({machine: 'kernel 7.x, Debian 13', release: '7.x', suite: 'trixie'}),
];
