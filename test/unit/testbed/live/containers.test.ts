/** The first process of a container, by what each runtime writes down. */

import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {dir} from 'tmp-promise';
import {pidOfContainer} from '../../../../testbed/live/containers.js';

const id = '3f4e8b2a91c0d5e67f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6';
const other = `3f4e${'0'.repeat(60)}`;

async function runFolder(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> {
	const folder = await dir({unsafeCleanup: true});
	t.teardown(folder.cleanup);
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(path.join(folder.path, path.dirname(name)), {recursive: true});
		writeFileSync(path.join(folder.path, name), text);
	}

	return folder.path;
}

for (const [runtime, file, text] of [
	['containerd', `containerd/io.containerd.runtime.v2.task/k8s.io/${id}/init.pid`, '4711'],
	['runc', `runc/${id}/state.json`, '{"id": "x", "init_process_pid": 4711}'],
	['Docker', `docker/runtime-runc/moby/${id}/state.json`, '{"init_process_pid": 4711}'],
	['runc of containerd', `containerd/runc/k8s.io/${id}/state.json`, '{"init_process_pid": 4711}'],
	['crun', `crun/${id}/status`, '{"pid": 4711}'],
	['CRI-O', `containers/storage/overlay-containers/${id}/userdata/pidfile`, '4711\n'],
] as const) {
	test(`${runtime}: by the whole ID, and by its beginning`, async t => {
		const root = await runFolder(t, {[file]: text});
		t.is(await pidOfContainer(id, root), 4711);
		t.is(await pidOfContainer(id.slice(0, 12), root), 4711);
		await t.throwsAsync(pidOfContainer('4f', root), {code: 'UNREADABLE', message: /There is no container 4f: no runtime has a file of it/u});
	});
}

test('a runtime that uses another has the same process; two that disagree are refused', async t => {
	const task = `containerd/io.containerd.runtime.v2.task/moby/${id}/init.pid`;
	const state = `docker/runtime-runc/moby/${id}/state.json`;
	t.is(await pidOfContainer(id, await runFolder(t, {[task]: '7', [state]: '{"init_process_pid": 7}'})), 7);
	await t.throwsAsync(pidOfContainer(id, await runFolder(t, {[task]: '7', [state]: '{"init_process_pid": 8}'})), {code: 'UNREADABLE', message: /different first processes: 7 in .*init\.pid, 8 in .*state\.json/u});
});

test('the beginning of two IDs names neither', async t => {
	const root = await runFolder(t, {[`runc/${id}/state.json`]: '{"init_process_pid": 7}', [`runc/${other}/state.json`]: '{"init_process_pid": 8}'});
	await t.throwsAsync(pidOfContainer('3f4e', root), {code: 'UNREADABLE', message: /beginning of 2 containers/u});
	t.is(await pidOfContainer('3f4e8', root), 7);
});

for (const text of ['', '{', '{"init_process_pid": "7"}', '{"init_process_pid": -1}', 'null', '7']) {
	test(`a state file that names no process is none: ${text}`, async t => {
		await t.throwsAsync(pidOfContainer(id, await runFolder(t, {[`runc/${id}/state.json`]: text})), {code: 'UNREADABLE'});
	});
}
