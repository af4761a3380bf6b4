/**
The campaign's own machine: namespaces in which nothing else runs, so that everything that appears there is a run's. They end with the campaign, however it ends.
*/

import {execFileSync, spawn} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {privateCommand} from '../matrix/private.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Folders that programs of this machine share. One that has the checkout or Node in it stays as it is. */
const sharedFolders = ['/tmp', '/run', '/dev/shm', '/var/tmp'].filter(folder => [root, process.execPath].every(file => path.relative(folder, file).startsWith('..')));

const workFolder = path.join(root, 'dist/.soak');

/** The folders in which a run could leave a file: its own for temporary files, and the shared ones. */
export const watchedFolders = [workFolder, ...sharedFolders];

/** Rules of the campaign's machine, so that a run that changes its host's tables has some to change. */
const guard = {
	nft: 'add table inet soak-guard\nadd chain inet soak-guard output { type filter hook output priority 0; policy accept; }\nadd rule inet soak-guard output oifname "lo" counter accept\n',
	legacy: '*filter\n-A OUTPUT -o lo -j ACCEPT\nCOMMIT\n',
};

/** Without npm's folders: a package there has another program named nft. */
const env = {...process.env, PATH: '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin'};

/** The words that print all tables, by program. */
const tablePrinters = [['nft', ['-s', 'list', 'ruleset']], ['iptables-legacy-save', []], ['ip6tables-legacy-save', []]];

/** The machine's tables, as its tools print them without counters. A tool that is missing has nothing to say. */
export function machineTables() {
	return tablePrinters.map(([program, given]) => {
		try {
			// Lines with `#` have a time.
			return execFileSync(program, given, {encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore']}).replaceAll(/^#.*$/gmu, '').replaceAll(/\[\d+:\d+\]/gu, '');
		} catch {
			return '';
		}
	}).join('\n');
}

/** Gives the campaign's machine its rules. Only for a process inside. */
export function loadGuardRules() {
	for (const [program, given, input] of [['nft', ['-f', '-'], guard.nft], ['iptables-legacy-restore', ['-w', '5'], guard.legacy], ['ip6tables-legacy-restore', ['-w', '5'], guard.legacy]]) {
		try {
			execFileSync(program, given, {input, env, stdio: ['pipe', 'ignore', 'ignore']});
		} catch {} // Without the program, its tables are empty before and after.
	}
}

/**
Runs a Node program on the campaign's machine, with our own stdout and stderr.

@param {readonly string[]} given the program and its arguments
@returns {Promise<number>} its exit status; 4 if it was killed or could not be started
*/
export async function runOnGround(given) {
	mkdirSync(workFolder, {recursive: true});
	const prepare = [
		'mount -t tmpfs -o mode=755 soak "$1"; shift',
		...sharedFolders.map(folder => `mount -t tmpfs -o mode=1777 soak ${folder}`),
		'ip link set lo up',
	].join('\n');
	const [program, ...words] = privateCommand(prepare, [workFolder, process.execPath, ...given], ['--net']);
	return new Promise(resolve => {
		// A session of its own: Ctrl-C ends the campaign after the current run, and is not the runs' own signal.
		const child = spawn(program, words, {cwd: root, env: {...process.env, TMPDIR: workFolder}, stdio: ['ignore', 'inherit', 'inherit'], detached: true});
		child.once('error', () => {
			resolve(4);
		});
		child.once('close', status => {
			resolve(status ?? 4);
		});
	});
}
