/**
A full table of connections. Its size belongs to a whole machine (`nf_conntrack_max` cannot be written in a namespace), so this is done in a guest of `testbed kernels`, whose images must be in the cache: the campaign has no network.
*/

import {
	cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {faultsOf, sixTypes, Tally} from './runs.mjs';
import {resultsOf} from './watch.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const limitMs = 40 * 60_000;
const setting = '/proc/sys/net/netfilter/nf_conntrack_max';

/** How many connections a namespace may have, from none of the run's own to all of them. */
const sizes = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32];

/** What a run may end with: what the kernel dropped may be inconclusive, or fail with the evidence for it. */
const failsWith = new Set([1, 3, 4]);

/** The words of the kernel for a packet that it dropped because the table was full. Newer kernels name the namespace. */
const fullWords = /nf_conntrack: table full(?: in netns \d+)?, dropping packet/u;

/** The script of the guest: a run that is left alone, then one for each size. */
export function scriptFor(chosen) {
	const run = name => `node /job/testbed/bin/testbed ${sixTypes.join(' ')} >/out/${name}.json 2>/out/${name}.err; echo $? >/out/${name}.status`;
	return [
		`modprobe nf_conntrack; normal=$(cat ${setting})`,
		run('reference'),
		...chosen.flatMap((size, index) => [`dmesg -c >/dev/null; echo ${size} >${setting}; cat ${setting} >/out/${index}.size`, run(index), `dmesg >/out/${index}.kernel; echo "$normal" >${setting}`]),
		'',
	].join('\n');
}

/** What the guest left of one run. */
function endingIn(folder, name) {
	const read = end => existsSync(path.join(folder, `${name}.${end}`)) ? readFileSync(path.join(folder, `${name}.${end}`), 'utf8') : '';
	const status = read('status').trim();
	return {
		status: status === '' ? null : Number(status), signal: null, stdout: read('json'), stderr: read('err'), left: [], size: Number(read('size')), wasFull: fullWords.test(read('kernel')),
	};
}

/**
Judges the runs of a guest.

@param {string} folder what the guest left
@param {readonly number[]} chosen the sizes
@returns {import('./runs.mjs').PartResult}
*/
export function judgeRuns(folder, chosen) {
	const tally = new Tally();
	const {status, stdout, stderr} = endingIn(folder, 'reference');
	const reference = resultsOf(stdout);
	if (status !== 0 || reference === undefined) {
		throw new Error(`The six types do not pass in the guest (status ${status}): ${stderr.trim()}`);
	}

	const notes = chosen.map((size, index) => {
		const name = `${size} connections at most`;
		const ended = endingIn(folder, index);
		const isSet = ended.status !== null && ended.size === size;
		tally.add(isSet ? faultsOf(name, ended, {reference, mayFail: true, failsWith}) : [`${name}: the guest did not try it`]);
		return {text: `${name}: status ${ended.status}${ended.wasFull ? ', the table was full' : ''}`, wasFull: ended.wasFull};
	});
	// Otherwise nothing was tried.
	if (notes.every(({wasFull}) => !wasFull)) {
		tally.faults.push('no table was ever full');
	}

	return tally.result({note: notes.map(({text}) => text).join('; ')});
}

/** Runs of the six types with less and less room for connections. @param {import('./runs.mjs').Task} task @returns {Promise<import('./runs.mjs').PartResult>} */
export async function fullTables({count, say}) {
	const load = name => import(path.join(root, `dist/testbed/kernels/${name}.js`));
	const [{Cache, cacheFolder}, {prepareImages}, {makeDisk}, {makeResultsDisk}, {packTestbed}, {bootGuest, complaintAbout}, {chooseAccelerator}, {guestScript}] = await Promise.all(['cache', 'images', 'disk', 'job', 'pack', 'qemu', 'accelerator', 'guest-scripts'].map(name => load(name)));
	const {signal} = new AbortController();
	const chosen = sizes.slice(0, count);
	const scratch = mkdtempSync(path.join(os.tmpdir(), 'soak-'));
	const cache = await Cache.open(cacheFolder(), 'shared', {signal, onWait() {}});
	try {
		const {root: disk, kernels: [kernel]} = await prepareImages(cache, {series: ['newest'], refresh: false, signal, onProgress: say, say() {}});
		const tree = path.join(scratch, 'job');
		mkdirSync(tree);
		packTestbed(path.join(tree, 'testbed'));
		cpSync(guestScript('init.sh'), path.join(tree, 'init.sh'));
		writeFileSync(path.join(tree, 'run.sh'), scriptFor(chosen));
		const [job, results, out] = ['job.ext4', 'results', 'out'].map(name => path.join(scratch, name));
		await makeDisk(job, tree, {signal, freeMegabytes: 32});
		makeResultsDisk(results);
		const {name: accelerator} = await chooseAccelerator(kernel.files, {signal, wanted: 'auto', folder: cache.folder});
		say(`booting ${kernel.files.kernel.release} (${accelerator})`);
		const booted = await bootGuest({
			files: kernel.files, accelerator, disks: [{file: disk, kind: 'own'}, {file: kernel.files.modules, kind: 'read'}, {file: job, kind: 'own'}, {file: results, kind: 'results'}],
		}, {signal, limitMs});
		mkdirSync(out);
		spawnSync('tar', ['-xf', results, '-C', out]);
		if (!existsSync(path.join(out, 'reference.status'))) {
			throw new Error(complaintAbout(booted, limitMs));
		}

		const result = judgeRuns(out, chosen);
		return {...result, note: `Linux ${kernel.files.kernel.release}: ${result.note}`};
	} finally {
		cache[Symbol.dispose]();
		rmSync(scratch, {recursive: true, force: true});
	}
}
