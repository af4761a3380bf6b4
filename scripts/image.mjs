import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {environmentOf, settingsOfMachine} from './matrix/settings.mjs';

const root = path.resolve(import.meta.dirname, '..');
const help = `Usage: npm run image [-- --output FILE] [--suite NAME]

Builds the image with buildah: a Debian root by mmdebstrap with Node, iptables, nftables and iproute2, the packed package
with what it depends on, and the Containerfile. No daemon and no base image are needed, and no root if this user has
subordinate ids (/etc/subuid). Everything else that is made is in a temporary folder, which is removed.

  --output FILE   the OCI archive to write (default: testbed-image.tar); podman load --input FILE reads it
  --suite NAME    Debian's release (default: trixie)

Needs mmdebstrap and buildah. Exit status: 0 written, 1 something failed, 2 usage, 4 a program is missing.`;

/** The Debian packages in the image. The rule tools are confined with `mount`, which smaller roots lack. */
const packages = ['nodejs', 'iptables', 'nftables', 'iproute2', 'mount'];

class UsageError extends Error {}

/** Options of the command line. */
export function parseArguments(argv) {
	const options = {output: 'testbed-image.tar', suite: 'trixie'};
	const queue = [...argv];
	while (queue.length > 0) {
		const word = queue.shift();
		const key = {'--output': 'output', '--suite': 'suite'}[word];
		if (key === undefined) {
			throw new UsageError(`There is no option "${word}".`);
		}

		const value = queue.shift();
		if (value === undefined || value === '') {
			throw new UsageError(`${word} needs a value.`);
		}

		options[key] = value;
	}

	if (!/^[a-z]+$/.test(options.suite)) {
		throw new UsageError(`--suite ${options.suite} is not the name of a Debian release, such as trixie.`);
	}

	return options;
}

/** Runs a program with its output on our stderr. */
function run(program, given, options = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(program, given, {stdio: ['ignore', 2, 2], ...options});
		child.on('error', reject);
		child.on('close', (status, signal) => {
			if (status === 0) {
				resolve();
			} else {
				reject(new Error(`${program} ended with ${signal ?? `exit status ${status}`}; its output is above.`));
			}
		});
	});
}

function isThere(program) {
	return [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'].some(folder => fs.existsSync(path.join(folder, program)));
}

/** Debian's root as a tar file. Notes on licenses are kept; manuals and translations are not. */
async function makeRoot(file, suite, settings) {
	await run('mmdebstrap', [
		'--variant=essential', `--include=${packages.join(',')}`,
		'--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-include=/usr/share/doc/*/copyright', '--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/locale/*',
		...settings.apt.map(line => `--aptopt=${line}`),
		suite, file, `deb ${settings.mirror} ${suite} main`,
	]);
}

/** The package with what it depends on, as a part of a root. */
async function makePackage(folder, work, settings) {
	const packed = path.join(work, 'packed');
	fs.mkdirSync(packed);
	await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed], {cwd: root});
	const [name] = fs.readdirSync(packed);
	const place = path.join(folder, 'opt/testbed');
	fs.mkdirSync(place, {recursive: true});
	const env = {...process.env, ...environmentOf(settings, undefined, undefined)};
	await run('npm', ['install', '--prefix', place, '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', path.join(packed, name)], {env});
	// What npm notes there has names of this machine.
	for (const note of ['package.json', 'package-lock.json', 'node_modules/.package-lock.json']) {
		fs.rmSync(path.join(place, note), {force: true});
	}

	fs.mkdirSync(path.join(folder, 'usr/local/bin'), {recursive: true});
	fs.symlinkSync('../../../opt/testbed/node_modules/sidecar-netfilter-testbed/bin/testbed', path.join(folder, 'usr/local/bin/testbed'));
}

async function build({output, suite}) {
	const file = path.resolve(output);
	const work = fs.mkdtempSync(path.join(os.tmpdir(), 'testbed-image-'));
	const context = path.join(work, 'context');
	const storage = ['--storage-driver', 'vfs', '--root', path.join(work, 'storage'), '--runroot', path.join(work, 'run')];
	try {
		fs.mkdirSync(context);
		fs.copyFileSync(path.join(root, 'Containerfile'), path.join(context, 'Containerfile'));
		const settings = settingsOfMachine();
		await makePackage(path.join(context, 'package'), work, settings);
		await makeRoot(path.join(context, 'root.tar'), suite, settings);
		await run('buildah', [...storage, 'build', '--isolation', 'chroot', '--tag', 'testbed', context]);
		fs.rmSync(file, {force: true});
		await run('buildah', [...storage, 'push', 'testbed', `oci-archive:${file}:testbed`]);
		process.stderr.write(`Wrote ${output}, ${(fs.statSync(file).size / 1e6).toFixed(0)} MB.\n`);
	} finally {
		// Without root, files of other users in the storage can be removed only in buildah's user namespace.
		const remover = process.getuid() === 0 ? ['rm'] : ['buildah', 'unshare', 'rm'];
		await run(remover[0], [...remover.slice(1), '-rf', work]);
	}
}

async function main(argv) {
	if (argv.includes('--help')) {
		console.log(help);
		return 0;
	}

	try {
		const options = parseArguments(argv);
		const missing = ['mmdebstrap', 'buildah'].filter(program => !isThere(program));
		if (missing.length > 0) {
			console.error(`${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing: apt-get install -y ${missing.join(' ')}`);
			return 4;
		}

		await build(options);
		return 0;
	} catch (error) {
		console.error(error.message);
		return error instanceof UsageError ? 2 : 1;
	}
}

if (process.argv[1] === import.meta.filename) {
	process.exitCode = await main(process.argv.slice(2));
}
