/** Real changes of real files, the way editors make them. */

import {
	mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync, appendFileSync,
} from 'node:fs';
import path from 'node:path';
import {setTimeout as wait} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {dir} from 'tmp-promise';
import {FileWatch, type WatchTimes} from '../../../../../testbed/cli/watch/file-watch.js';

const times: WatchTimes = {lookMs: 50, quietMs: 30, goneMs: 300};

async function folderOf(t: ExecutionContext): Promise<string> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	return folder;
}

/** A watch of these paths, whose contents are noted, and the names (without their folder) of what changes while `act` is done. */
async function changedBy(paths: readonly string[], act: () => void | Promise<void>): Promise<readonly string[]> {
	using watch = new FileWatch(() => paths, times);
	watch.mark();
	const controller = new AbortController();
	const changed = watch.changed(controller.signal);
	await act();
	const names = await changed;
	return names.map(name => path.basename(name));
}

/** Whether nothing is reported for a while. */
async function isQuiet(paths: readonly string[], act: () => void | Promise<void>): Promise<boolean> {
	using watch = new FileWatch(() => paths, times);
	watch.mark();
	const controller = new AbortController();
	const changed = watch.changed(controller.signal);
	await act();
	const timer = setTimeout(() => {
		controller.abort(new Error('enough'));
	}, 600);
	const [{status}] = await Promise.allSettled([changed]);
	clearTimeout(timer);
	return status === 'rejected';
}

test('written in place, and replaced by rename', async t => {
	const folder = await folderOf(t);
	const file = path.join(folder, 'a');
	writeFileSync(file, 'one');
	t.deepEqual(await changedBy([file], () => {
		writeFileSync(file, 'two');
	}), ['a']);
	t.deepEqual(await changedBy([file], () => {
		writeFileSync(path.join(folder, '.a.swp'), 'three');
		renameSync(path.join(folder, '.a.swp'), file);
	}), ['a']);
});

test('a change before the wait counts; one before the mark does not', async t => {
	const file = path.join(await folderOf(t), 'a');
	writeFileSync(file, 'one');
	using watch = new FileWatch(() => [file], times);
	watch.mark();
	writeFileSync(file, 'two');
	t.deepEqual(await watch.changed(new AbortController().signal), [file]);
	watch.mark();
	const controller = new AbortController();
	const changed = watch.changed(controller.signal);
	await wait(200);
	controller.abort(new Error('enough'));
	await t.throwsAsync(changed, {message: 'enough'});
});

test('gone for a moment is no change; gone for good is one', async t => {
	const file = path.join(await folderOf(t), 'a');
	writeFileSync(file, 'one');
	t.true(await isQuiet([file], async () => {
		unlinkSync(file);
		await wait(100);
		writeFileSync(file, 'one');
	}));
	t.deepEqual(await changedBy([file], () => {
		unlinkSync(file);
	}), ['a']);
});

test('a file that is written in pieces is one change', async t => {
	const file = path.join(await folderOf(t), 'a');
	writeFileSync(file, '');
	using watch = new FileWatch(() => [file], {...times, quietMs: 150});
	watch.mark();
	const {signal} = new AbortController();
	const changed = watch.changed(signal);
	let isDone = false;
	const write = async (): Promise<void> => {
		for (let index = 0; index < 8; index++) {
			appendFileSync(file, `${index}`);
			await wait(40); // eslint-disable-line no-await-in-loop -- One piece after the other.
		}

		isDone = true;
	};

	const writing = write();
	await changed;
	t.true(isDone);
	await writing;
	watch.mark();
});

test('the same text written again, and a new time alone, are no change', async t => {
	const file = path.join(await folderOf(t), 'a');
	writeFileSync(file, 'one');
	t.true(await isQuiet([file], () => {
		writeFileSync(file, 'one');
		utimesSync(file, 1, 1);
	}));
});

test('another file beside it is no change, but a new one in a folder that is watched is', async t => {
	const folder = await folderOf(t);
	const file = path.join(folder, 'a');
	writeFileSync(file, 'one');
	t.true(await isQuiet([file], () => {
		writeFileSync(path.join(folder, 'b'), 'x');
	}));
	t.deepEqual(await changedBy([folder], () => {
		writeFileSync(path.join(folder, 'c'), 'x');
	}), [path.basename(folder)]);
});

test('what links point to is watched, also if the link is changed, as Kubernetes does with mounted ConfigMaps', async t => {
	const folder = await folderOf(t);
	for (const version of ['v1', 'v2']) {
		mkdirSync(path.join(folder, version));
		writeFileSync(path.join(folder, version, 'rules'), version);
	}

	symlinkSync('v1', path.join(folder, '..data'));
	const file = path.join(folder, 'rules');
	symlinkSync('..data/rules', file);
	t.deepEqual(await changedBy([file], () => {
		symlinkSync('v2', path.join(folder, '..data_tmp'));
		renameSync(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
	}), ['rules']);
	t.deepEqual(await changedBy([file], () => {
		writeFileSync(path.join(folder, 'v2', 'rules'), 'v2 changed');
	}), ['rules']);
});

test('a folder that does not exist yet, is created, removed and created again', async t => {
	const folder = path.join(await folderOf(t), 'later');
	const file = path.join(folder, 'a');
	t.deepEqual(await changedBy([file], () => {
		mkdirSync(folder);
		writeFileSync(file, 'one');
	}), ['a']);
	t.deepEqual(await changedBy([file], async () => {
		rmSync(folder, {recursive: true});
		mkdirSync(folder);
		await wait(50);
		writeFileSync(file, 'two');
	}), ['a']);
});

test('goes red: without a mark, what is there is a change', async t => {
	const file = path.join(await folderOf(t), 'a');
	writeFileSync(file, 'one');
	using watch = new FileWatch(() => [file], times);
	t.deepEqual(await watch.changed(new AbortController().signal), [file]);
});
