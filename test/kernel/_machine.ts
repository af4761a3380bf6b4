/**
Simulates another machine: a process in its own mount namespace, in which /usr/sbin is a folder of links to the real programs, with some missing and some replaced by scripts. The machine itself is not touched.
*/

import {
	chmodSync, mkdirSync, readdirSync, symlinkSync, unlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {furtherPrograms} from '../../testbed/confinement/programs.js';

/** Programs that the scripts in place of tools start; they are confined like the tools. */
const startedByFakes = ['sh', 'cat', 'flock', 'xtables-nft-multi', 'xtables-legacy-multi'];

/** What is different there. `fakes`: shell scripts by name. */
export type OtherMachine = {readonly missing?: readonly string[]; readonly fakes?: Readonly<Record<string, string>>};

/** How a program ended, and what it printed. */
export type Ended = {readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string};

/** Runs a module there to its end. It can import what the compiler wrote by `dist`, the address of that folder: `await import(dist + 'testbed/cli/main.js')`. */
export async function onOtherMachine(module: string, {missing = [], fakes = {}}: OtherMachine = {}): Promise<Ended> {
	const folder = await dir({unsafeCleanup: true});
	const [real, shown] = ['real', 'shown'].map(name => path.join(folder.path, name)) as [string, string];
	try {
		mkdirSync(real);
		mkdirSync(shown);
		for (const name of readdirSync('/usr/sbin')) {
			symlinkSync(path.join(real, name), path.join(shown, name));
		}

		for (const name of [...missing, ...Object.keys(fakes)]) {
			unlinkSync(path.join(shown, name));
		}

		for (const [name, text] of Object.entries(fakes)) {
			writeFileSync(path.join(shown, name), `#!/bin/sh\n${text}\n`);
			chmodSync(path.join(shown, name), 0o755);
		}

		const program = path.join(folder.path, 'program.mjs');
		writeFileSync(program, `import process from 'node:process';\nconst dist = ${JSON.stringify(`file://${path.resolve('dist')}/`)};\n${module}\n`);
		const {exitCode, stdout, stderr} = await execa('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', [
			`mount --bind /usr/sbin ${real}`, `mount --bind ${shown} /usr/sbin`, 'exec "$0" "$1"',
		].join('\n'), process.execPath, program], {
			reject: false, env: {PATH: '/usr/bin:/bin', [furtherPrograms]: startedByFakes.join(':')}, extendEnv: false,
		});
		return {exitCode, stdout, stderr};
	} finally {
		await folder.cleanup();
	}
}

/** `testbed` with these arguments there. */
export async function testbedOnOtherMachine(given: readonly string[], machine: OtherMachine): Promise<Ended> {
	return onOtherMachine(`const {main} = await import(dist + 'testbed/cli/main.js');\nprocess.exitCode = await main(${JSON.stringify(given)});`, machine);
}

/** What iptables says of tables that the kernel does not have, and what it does with the rest. The messages of legacy are those of a kernel without `iptable_nat` and its like (6.12, measured). */
export const fakes = {
	/** A kernel without the tables of iptables-legacy. */
	withoutLegacyTables: Object.fromEntries(['iptables', 'ip6tables'].map(name => [`${name}-legacy-restore`, `echo "${name}-restore v1.8.9 (legacy): ${name}-restore: unable to initialize table 'nat'" >&2; echo >&2; echo "Error occurred at line: 1" >&2; exit 2`])),
	/** A kernel without a match, as iptables-nft tells of it (1.8.9). */
	without: (match: string): string => `rules=$(cat)\ncase "$rules" in *"-m ${match} "*) echo "Warning: Extension ${match} revision 0 not supported, missing kernel module?" >&2; echo "iptables-restore: line 4 failed" >&2; exit 4;; esac\nprintf '%s\\n' "$rules" | exec /usr/sbin/xtables-nft-multi iptables-restore "$@"`,
	/** The lock of iptables-legacy as 1.8.11 takes it: without `-w` it does not wait (words of 1.8.11, measured). */
	impatient: (name: 'iptables' | 'ip6tables'): string => [
		'case " $* " in *" -w "*) ;; *)',
		'\texec 9<>"$XTABLES_LOCKFILE"',
		'\tflock --nonblock 9 || { cat >/dev/null; echo "Can\'t lock $XTABLES_LOCKFILE: Resource temporarily unavailable" >&2; echo "Another app is currently holding the xtables lock. Perhaps you want to use the -w option?" >&2; exit 4; }',
		'\tflock --unlock 9;;',
		'esac',
		`exec /usr/sbin/xtables-legacy-multi ${name}-restore "$@"`,
	].join('\n'),
} as const;
