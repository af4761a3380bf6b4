import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {jobFolder, rowOf} from '../jobs.mjs';
import {run} from '../private.mjs';
import {makeRoot} from '../roots.mjs';
import {environmentOf, withoutNpm} from '../settings.mjs';
import {installToolchain, npmOfNode} from '../toolchain.mjs';

/*
Debian's own kernels in QEMU with emulation (TCG): a stock kernel does not run everywhere that has a /dev/kvm, and answers matter here, not times.
Kernels are fetched and guests booted by the code of `testbed kernels` in this checkout (testbed/kernels/), whatever commit is tested. The user land is a Debian root with its iptables and nft; the testbed is installed there as `npm pack` packs it.
*/

const root = path.resolve(import.meta.dirname, '../../..');
const limitMs = 40 * 60_000;
const programs = ['iptables', 'nftables', 'iproute2', 'kmod'];

/** The kernel series of the cells. */
const allSeries = ['5.10', '6.1', '6.12', 'newest'];

/** Debian 12 with an official Node, because its own is too old; Debian 13 with its own. */
const userLands = {
	bookworm: {packages: [...programs, 'ca-certificates'], node: '20'},
	trixie: {packages: [...programs, 'nodejs'], node: undefined},
};

/** Changes to a guest before its job. */
const presets = {
	/** The sysctls that kube-proxy's iptables mode sets on a node. */
	'kube-proxy': 'echo 1 | tee /proc/sys/net/ipv4/conf/all/route_localnet /proc/sys/net/ipv4/conf/default/route_localnet >/proc/sys/net/ipv4/ip_forward',
	/** Prevents the tables of iptables-legacy from loading. */
	'no-legacy': String.raw`for table in nat mangle raw filter security; do printf 'install iptable_%s /bin/false\ninstall ip6table_%s /bin/false\n' "$table" "$table"; done >/etc/modprobe.d/no-legacy.conf`,
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

/** The modules of `testbed kernels`, compiled. */
function booter(context) {
	return once(context, 'booter', async () => {
		await mustRun([process.execPath, path.join(root, 'scripts/run.cjs'), 'build'], {cwd: root}, 'npm run build');
		const load = name => import(path.join(root, `dist/testbed/kernels/${name}.js`));
		const [{Cache}, {prepareKernels}, {makeDisk}, {makeResultsDisk}, {bootGuest, complaintAbout}, {guestScript}] = await Promise.all(['cache', 'images', 'disk', 'job', 'qemu', 'guest-scripts'].map(name => load(name)));
		return {Cache, prepareKernels, makeDisk, makeResultsDisk, bootGuest, complaintAbout, guestScript, signal: new AbortController().signal};
	});
}

/** The files of all kernels, by series. */
function kernelFiles(context) {
	return once(context, 'kernels', async () => {
		const {Cache, prepareKernels, signal} = await booter(context);
		const cache = await Cache.open(path.join(context.work, 'kernels'), 'shared', {signal, onWait() {}});
		const found = await prepareKernels(cache, {series: allSeries, refresh: false, signal, say() {}, onProgress: context.say});
		return Object.fromEntries(found.map(kernel => [kernel.series, kernel]));
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

/** The disk of a userland, with the testbed. */
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
		const image = `${folder}.ext4`;
		const {makeDisk, signal} = await booter(context);
		await makeDisk(image, folder, {signal, freeMegabytes: 600});
		fs.rmSync(folder, {recursive: true});
		return image;
	});
}

/** The disk of a job: its files, and the script that runs it. */
async function jobDisk({name, steps, preset, context}) {
	const {makeDisk, guestScript, signal} = await booter(context);
	const folder = path.join(context.work, `${name}-job`);
	fs.mkdirSync(folder);
	fs.cpSync(jobFolder, path.join(folder, 'job'), {recursive: true});
	fs.copyFileSync(guestScript('init.sh'), path.join(folder, 'init.sh'));
	if (context.batch !== '') {
		fs.copyFileSync(context.batch, path.join(folder, 'batch.jsonl'));
	}

	fs.writeFileSync(path.join(folder, 'run.sh'), [
		'export PATH=/opt/node/node_modules/.bin:$PATH',
		// Emulation is slow, and slower on a busy machine.
		'export TESTBED_TIMEOUT=30000',
		...preset.map(one => presets[one]),
		`node /job/job/job.mjs --out /out --steps ${steps.join(',')} --batch /job/batch.jsonl --testbed /opt/testbed/node_modules/.bin/testbed`,
		'',
	].join('\n'));
	const image = `${folder}.ext4`;
	await makeDisk(image, folder, {signal, freeMegabytes: 16});
	fs.rmSync(folder, {recursive: true});
	return image;
}

/** Boots a guest, waits until it has powered itself off, and unpacks what its job left. */
async function boot({kernel, image, job, out, context}) {
	const {makeResultsDisk, bootGuest, complaintAbout, signal} = await booter(context);
	const results = `${out}.results`;
	fs.mkdirSync(out, {recursive: true});
	makeResultsDisk(results);
	const booted = await bootGuest({
		files: kernel, accelerator: 'tcg', disks: [{file: image, kind: 'own'}, {file: kernel.modules, kind: 'read'}, {file: job, kind: 'own'}, {file: results, kind: 'results'}],
	}, {signal, limitMs, onLine: context.say});
	// A guest that did not finish leaves an empty disk: then there is no result, and the cell fails.
	await run(['tar', '-xf', results, '-C', out], {onLine() {}});
	fs.rmSync(results);
	fs.rmSync(job);
	return booted.end.exitCode === 0 ? 'the guest powered off' : complaintAbout(booted, limitMs);
}

const all = ['doctor', 'types', 'batch', 'diff'];

function kernelCell({machine, series, suite, preset = [], steps = all}) {
	return {
		part: 'kernels', machine, needs: ['mmdebstrap', 'git', 'qemu-system-x86_64', 'mke2fs', 'depmod'], inCi: false,
		async run(context) {
			const name = `kernel-${machine.toLowerCase().replaceAll(/[^a-z\d.]+/g, '-')}`;
			const out = path.join(context.work, name);
			const {[series]: kernel} = await kernelFiles(context);
			if (kernel.files === undefined) {
				throw new Error(kernel.missing);
			}

			const image = await rootDisk(context, suite);
			const job = await jobDisk({name, steps, preset, context});
			const ending = await boot({kernel: kernel.files, image, job, out, context});
			const row = await rowOf({out, asked: steps, ending, context});
			context.keep(out, name);
			return row;
		},
	};
}

export const kernelCells = [
	kernelCell({machine: 'kernel 5.10, Debian 12', series: '5.10', suite: 'bookworm'}),
	kernelCell({machine: 'kernel 6.1, Debian 12', series: '6.1', suite: 'bookworm'}),
	kernelCell({machine: 'kernel 6.12, Debian 13', series: '6.12', suite: 'trixie'}),
	kernelCell({machine: 'kernel 6.12, as kube-proxy sets it', series: '6.12', suite: 'trixie', preset: ['kube-proxy']}),
	kernelCell({machine: 'kernel 6.12, no legacy tables', series: '6.12', suite: 'trixie', preset: ['no-legacy'], steps: ['lacking', 'diff']}),
	kernelCell({machine: 'newest kernel, Debian 13', series: 'newest', suite: 'trixie'}),
];
