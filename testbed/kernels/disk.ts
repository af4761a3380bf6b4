/**
Disk images: an ext4 file system with the contents of a folder. An ordinary user can make one, without mounting it.
*/

import {rmSync} from 'node:fs';
import {run} from '../system/exec.js';
import {describeEnd, runLong} from '../system/long-program.js';
import {TestbedError} from '../errors.js';

const limitMs = 300_000;

/** Each file takes whole blocks, and their lists take room as well. */
const overhead = 1.25;

/**
Makes an image, with so many megabytes free.

@throws {TestbedError} NOT_TRIED if mke2fs cannot do it, for example because the disk is full.
*/
export async function makeDisk(image: string, folder: string, {signal, freeMegabytes}: {readonly signal: AbortSignal; readonly freeMegabytes: number}): Promise<void> {
	const used = Number.parseInt(await run('du', ['-sm', '--apparent-size', folder]), 10);
	const blocks = Number.parseInt(await run('du', ['-sm', folder]), 10);
	const size = Math.ceil(Math.max(used, blocks) * overhead) + freeMegabytes;
	const ended = await runLong('mke2fs', ['-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-m', '0', '-E', 'root_owner=0:0', '-d', folder, image, `${size}M`], {signal, timeoutMs: limitMs});
	if (ended.exitCode !== 0) {
		rmSync(image, {force: true});
		throw new TestbedError('NOT_TRIED', {message: `The disk image ${image} could not be made: mke2fs ${describeEnd(ended)}`, hint: 'Is there room on that file system?'});
	}
}
