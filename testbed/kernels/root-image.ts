/**
The guest's root disk: a small Debian with the netfilter programs and Node, made by mmdebstrap.
*/

import process from 'node:process';
import {backendTools} from '../../src/netfilter/backends.js';
import {TestbedError} from '../errors.js';
import {describeEnd, runLong} from '../system/long-program.js';
import {quoted} from '../../src/report/terminal/shell-quote.js';
import {guestSources, guestSuite, type Mirrors} from './apt.js';

/** What is installed. */
export const rootPackages: readonly string[] = [...new Set(backendTools.map(({debianPackage}) => debianPackage)), 'iproute2', 'kmod', 'mount', 'nodejs'];

/** Packs the root as ext4. Runs where mmdebstrap is root, which may be in a user namespace. Its /proc and /sys are mounted in it, hence the bind mount, which has none. */
export const packHook = String.raw`set -eu
rm -rf "$1"/var/cache/* "$1"/var/lib/apt/lists/*
work=$(mktemp -d)
mkdir "$work/root"
mount --bind "$1" "$work/root"
megabytes=$(du -sm "$work/root" | cut -f 1)
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$work/root" "$work/image" "$((megabytes * 5 / 4 + 64))M"
umount "$work/root"
mv "$work/image" "$1/testbed-root.ext4"
rm -r "$work"`;

const limitMs = 1_800_000;
/** Its temporary folder is removed by itself. */
const gentleMs = 600;

/** What follows from what mmdebstrap printed: why it does not work for this user. */
function hintFor(text: string): string {
	return /newuidmap|newgidmap|subuid|subgid|unshare|user namespace/iu.test(text) && process.geteuid!() !== 0
		? 'As an ordinary user, mmdebstrap needs a range of IDs, as the testbed itself does: testbed doctor tells what is missing. Or run this command as root.'
		: 'Is there a network? Apt uses the proxy in its own configuration, and http_proxy.';
}

/** What completes a command line that is run in namespaces of its own: as root, everything that mmdebstrap started or mounted ends with it. */
const privately = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'] as const;

/**
Makes the image.

@param options.scratch A folder for what it makes meanwhile, of this process alone. An ordinary user's mmdebstrap uses the system's folder for temporary files: its users may not enter this one.
@throws {TestbedError} NOT_TRIED if mmdebstrap fails, with the last of what it printed.
*/
export async function makeRootImage(image: string, {mirrors, scratch, signal, onLine}: {
	readonly mirrors: Mirrors; readonly scratch: string; readonly signal: AbortSignal; readonly onLine: (line: string) => void;
}): Promise<void> {
	const isRoot = process.geteuid!() === 0;
	const command = [
		'mmdebstrap', `--mode=${isRoot ? 'root' : 'unshare'}`, '--format=null', '--variant=essential', '--architectures=amd64', `--include=${rootPackages.join(',')}`, '--dpkgopt=force-unsafe-io',
		...['doc', 'man', 'locale'].map(name => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
		`--customize-hook=${packHook}`, `--customize-hook=download /testbed-root.ext4 ${quoted(image)}`,
		guestSuite, '-', ...guestSources(mirrors),
	];
	const [program, ...given] = isRoot ? [...privately, ...command] : command;
	const ended = await runLong(program!, given, {
		signal, timeoutMs: limitMs, onLine, gentleMs: isRoot ? 0 : gentleMs, folder: '/', ...(isRoot ? {environment: {TMPDIR: scratch}} : {}),
	});
	if (ended.exitCode !== 0) {
		const words = ended.text.split('\n').filter(line => /^[EW]:|mke2fs|unshare:/u.test(line)).slice(0, 3).join(' ');
		throw new TestbedError('NOT_TRIED', {
			message: `The guest's root disk could not be made: mmdebstrap ${words === '' ? describeEnd(ended) : `failed: ${words}`}`,
			state: 'Nothing was kept of it, and no kernel was booted.',
			hint: hintFor(ended.text),
		});
	}
}
