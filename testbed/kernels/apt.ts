/**
Debian's packages through apt, with lists of its own: what this machine has installed and is subscribed to plays no part and does not change. Apt checks the signatures of the lists, and by them every package.
*/

import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {TestbedError} from '../errors.js';
import {run} from '../system/exec.js';
import {describeEnd, runLong} from '../system/long-program.js';
import {forRoot} from '../system/privileges.js';
import {
	kernelNames, partsOf, readMadison, type KernelPackage,
} from './packages.js';

/** The releases whose kernels can be booted, and their parts with newer kernels. */
const suites = ['bullseye', 'bookworm', 'bookworm-backports', 'trixie', 'trixie-backports'] as const;

/** Those with security updates, which have the newest kernel of a release. */
const securitySuites = ['bullseye', 'bookworm', 'trixie'] as const;

/** The release of the guest's own programs. */
export const guestSuite = 'trixie';

/** Debian's keys, of the package debian-archive-keyring. */
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

const updateLimitMs = 300_000;
const downloadLimitMs = 900_000;

/** Where Debian's packages are. */
export type Mirrors = {readonly main: string; readonly security: string};

/** Those that this machine uses, if it is a Debian; otherwise Debian's own. */
export async function mirrorsOfMachine(): Promise<Mirrors> {
	let uris: readonly string[] = [];
	try {
		const text = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)']);
		uris = text.split('\n').map(uri => uri.trim().replace(/\/$/u, ''));
	} catch {} // Then `update` says what is wrong with apt.

	return {
		main: uris.find(uri => uri.endsWith('/debian')) ?? 'http://deb.debian.org/debian',
		security: uris.find(uri => uri.endsWith('/debian-security')) ?? 'http://deb.debian.org/debian-security',
	};
}

const lineFor = (uri: string, suite: string): string => `deb [signed-by=${keyring}] ${uri} ${suite} main`;

/** The lines of sources.list for the guest's programs. */
export function guestSources({main, security}: Mirrors): readonly string[] {
	return [lineFor(main, guestSuite), lineFor(security, `${guestSuite}-security`)];
}

/**
Debian's keys are on this machine.

@throws {TestbedError} NOT_TRIED.
*/
export function requireKeyring(file = keyring): void {
	if (!existsSync(file)) {
		throw new TestbedError('NOT_TRIED', {message: `Debian's keys are missing on this machine (${file}), so no package could be checked.`, state: 'Nothing was fetched or booted.', hint: forRoot('apt-get install -y debian-archive-keyring')});
	}
}

/** The last lines in which apt says what went wrong. */
function complaintsIn(text: string): string {
	const lines = text.split('\n').filter(line => /^(?:E|Err|W):/u.test(line));
	return [...new Set(lines.map(line => line.replace(/^[EW]: /u, '')))].slice(0, 2).join(' ');
}

/** Apt with a state of its own. */
export class Apt {
	readonly #folder: string;
	readonly #options: readonly string[];
	readonly #signal: AbortSignal;

	/** @param folder The folder of its lists, which is kept between runs. */
	constructor(folder: string, mirrors: Mirrors, signal: AbortSignal) {
		for (const name of ['lists/partial', 'archives/partial']) {
			mkdirSync(path.join(folder, name), {recursive: true});
		}

		const file = (name: string): string => path.join(folder, name);
		writeFileSync(file('sources.list'), [...suites.map(suite => lineFor(mirrors.main, suite)), ...securitySuites.map(suite => lineFor(mirrors.security, `${suite}-security`)), ''].join('\n'));
		writeFileSync(file('status'), '');
		this.#folder = folder;
		this.#signal = signal;
		this.#options = Object.entries({
			'Dir::Etc::sourcelist': file('sources.list'),
			'Dir::Etc::sourceparts': '/dev/null',
			'Dir::State': folder,
			'Dir::State::status': file('status'),
			'Dir::Cache': folder,
			'Dir::Cache::archives': file('archives'),
			'APT::Architecture': 'amd64',
			'APT::Sandbox::User': '',
			'Acquire::Languages': 'none',
			'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
			'Acquire::Retries': '1',
			'Acquire::http::Timeout': '20',
		}).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
	}

	/**
	Fetches the lists. One release that the mirror no longer has does not prevent the others.

	@throws {TestbedError} NOT_TRIED if there are none afterwards.
	*/
	async update(): Promise<void> {
		const ended = await runLong('apt-get', ['-q', ...this.#options, 'update'], {signal: this.#signal, timeoutMs: updateLimitMs});
		const complaint = complaintsIn(ended.text);
		const kernels = ended.exitCode === 0 ? [] : await this.kernels();
		if (ended.exitCode !== 0 && (ended.isOverTime || kernels.length === 0)) {
			throw this.#unreachable(complaint === '' ? `apt-get update ${describeEnd(ended)}` : complaint);
		}

		// Apt ends with 0 if it could only use what it had before.
		if (/^W: (?:Failed to fetch|Some index files failed)/mu.test(ended.text) && !/^(?:Get|Hit):/mu.test(ended.text)) {
			throw this.#unreachable(complaint);
		}
	}

	/** All kernels. */
	async kernels(): Promise<readonly KernelPackage[]> {
		const text = await run('apt-cache', [...this.#options, 'pkgnames', 'linux-image-']);
		const names = kernelNames(text.split('\n'));
		return names.length === 0 ? [] : readMadison(await run('apt-cache', [...this.#options, 'madison', ...names]));
	}

	/**
	Fetches the packages of a kernel, and a static busybox, to a folder.

	@throws {TestbedError} NOT_TRIED.
	*/
	async download(kernel: KernelPackage, folder: string): Promise<void> {
		const parts = partsOf(kernel, await run('apt-cache', [...this.#options, 'depends', kernel.name]));
		const ended = await runLong('apt-get', ['-q', ...this.#options, 'download', `${kernel.name}=${kernel.version}`, ...parts, 'busybox-static'], {signal: this.#signal, timeoutMs: downloadLimitMs, folder});
		if (ended.exitCode !== 0) {
			const complaint = complaintsIn(ended.text);
			throw this.#unreachable(complaint === '' ? `apt-get download ${describeEnd(ended)}` : complaint);
		}
	}

	#unreachable(complaint: string): TestbedError {
		return new TestbedError('NOT_TRIED', {
			message: `Debian's packages could not be fetched: ${complaint}`,
			state: `Nothing was changed in ${this.#folder}.`,
			hint: 'Is there a network? Apt uses the proxy in its own configuration, and http_proxy. Kernels that were fetched before are booted without a network, if --refresh is not given.',
		});
	}
}
