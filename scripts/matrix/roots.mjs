import fs from 'node:fs';
import path from 'node:path';
import {privateCommand, run} from './private.mjs';
import {environmentOf} from './settings.mjs';

const enterRoot = path.join(import.meta.dirname, 'enter-root.sh');

/** Packages that every installed Debian has (priority `required`) but the smallest variant of mmdebstrap leaves out; enter-root.sh needs them. */
const always = ['mount'];

/** The path of this machine's certificates in a root. */
const certificatesFile = '/srv/certificates.pem';

/**
Creates a Debian root in a folder, with these packages and without recommended ones.

@param {{suite: string, packages: string[], folder: string, settings: ReturnType<import('./settings.mjs').settingsOfMachine>, say: (line: string) => void}} options
@returns {Promise<string | undefined>} Why it could not be created; undefined on success.
*/
export async function makeRoot({suite, packages, folder, settings, say}) {
	say(`mmdebstrap ${suite} with ${packages.join(', ')}`);
	const {status, ending, text} = await run([
		'mmdebstrap', '--mode=root', '--variant=apt', `--include=${[...always, ...packages].join(',')}`, '--skip=check/empty',
		// The root is in memory, so nothing must be synced to disk, and manuals are not needed.
		'--dpkgopt=force-unsafe-io', '--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/locale/*',
		...settings.apt.map(line => `--aptopt=${line}`),
		suite, folder, `deb ${settings.mirror} ${suite} main`,
	], {onLine() {}});
	if (status !== 0) {
		const words = text.split('\n').filter(line => /^[EW]:/.test(line)).slice(-3).join(' ');
		return `mmdebstrap ${suite} ended with ${ending}: ${words}`;
	}

	for (const file of ['/etc/resolv.conf', '/etc/hosts']) {
		fs.writeFileSync(path.join(folder, file), fs.readFileSync(file));
	}

	if (settings.certificates !== '') {
		fs.writeFileSync(path.join(folder, certificatesFile), settings.certificates);
	}

	return undefined;
}

/**
Runs a command in a root, in namespaces that end with it. Its environment is that of a fresh root login, plus this machine's settings for reaching registries.

@param {string[]} command
@param {{folder: string, settings: ReturnType<import('./settings.mjs').settingsOfMachine>, env?: Record<string, string>, onLine: (line: string) => void, limitMs?: number}} options
*/
export function runInRoot(command, {folder, settings, env = {}, onLine, limitMs}) {
	return run(privateCommand('', ['sh', enterRoot, folder, ...command]), {
		env: {
			PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', TERM: 'dumb', LANG: 'C.UTF-8',
			...environmentOf(settings, certificatesFile), ...env,
		},
		cwd: '/', onLine, limitMs,
	});
}
