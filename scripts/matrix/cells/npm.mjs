import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {npmVersions, tryLockfiles} from '../lockfiles.mjs';

/** The checkout whose lockfiles are tried: a separate clone, so that only committed files count. */
function checkoutOf(context) {
	const folder = path.join(context.work, 'lockfiles');
	const {status, stderr} = spawnSync('git', ['clone', '--quiet', context.source, folder], {encoding: 'utf8'});
	if (status !== 0) {
		throw new Error(`git clone: ${stderr.trim()}`);
	}

	return folder;
}

/**
The results of every npm for every lockfile, as one row for each npm.

@param {{npm: string, node: string, lockfile: string, ok: boolean, reason: string}[]} tried
*/
export function rowsOf(tried) {
	return npmVersions.map(({npm, comesWith}) => {
		const own = tried.filter(row => row.npm === npm);
		const bad = own.filter(({ok}) => !ok);
		const reason = own.length === 0 ? 'nothing was tried' : bad.map(row => `${row.lockfile}: ${row.reason}`).join('; ');
		return {
			machine: `npm ${npm} (${comesWith})`, npm, node: own[0]?.node ?? '', result: own.length > 0 && bad.length === 0 ? 'passed' : `failed: ${reason}`,
		};
	});
}

/** Every npm version in use, with every lockfile of the checkout. In CI each only installs the first command's lockfile; the others are only checked against their package.json. */
export const npmCells = [{
	part: 'npm', machine: 'npm 9.2.0 to 12', needs: ['git'], inCi: true,
	async run(context) {
		const root = checkoutOf(context);
		try {
			const tried = await tryLockfiles({
				root, isQuick: context.isQuick,
				tell({npm, lockfile, ok, reason}) {
					context.say(`${ok ? 'ok  ' : 'FAIL'} npm ${npm.padEnd(8)} ${lockfile}: ${reason}`);
				},
			});
			return rowsOf(tried).map(row => ({kernel: process.platform === 'linux' ? fs.readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim() : '', ...row}));
		} finally {
			fs.rmSync(root, {recursive: true, force: true});
		}
	},
}];
