/**
Live pods that cannot be read, and how they are found: every wrong name, containers by their runtime, and what a pod or a scenario could do to the node.
*/

import {
	mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {closeDescriptor} from '../../testbed/syscalls/netns.js';
import {openPath} from '../../testbed/syscalls/mounts.js';
import {openInRoot} from '../../testbed/syscalls/open-in-root.js';
import {testbed} from './_cli.js';
import {LivePodProcess, rulesOfInput} from './_live-pod.js';

const wrong: ReadonlyArray<readonly [source: string, status: number, message: RegExp]> = [
	['netns:', 2, /netns: names nothing/u],
	['netns:no-such-namespace', 3, /There is no network namespace named no-such-namespace: \/run\/netns\/no-such-namespace does not exist/u],
	['netns:/no/such/file', 3, /There is no file \/no\/such\/file/u],
	['netns:/etc/hostname', 3, /\/etc\/hostname is not a network namespace/u],
	['netns:/proc/self/ns/uts', 3, /is not a network namespace/u],
	['netns:/dev/null', 3, /is not a network namespace/u],
	['pid:', 2, /pid: names nothing/u],
	['pid:abc', 2, /pid:abc is not the number of a process/u],
	['pid:0', 2, /pid:0 is not the number of a process/u],
	['pid:4194304', 3, /There is no process 4194304/u],
	['container:../x', 2, /is not the ID of a container/u],
	['container:abcdef', 3, /There is no container abcdef/u],
];

for (const [source, status, message] of wrong) {
	test.serial(`wrong: ${source}`, async t => {
		for (const given of [['rules', source], ['diff', 'release:1.24', source]]) {
			const {exitCode, stdout, stderr} = await testbed(given); // eslint-disable-line no-await-in-loop -- One after the other.
			t.is(exitCode, status);
			t.is(stdout, '');
			t.regex(stderr, message);
		}
	});
}

test.serial('wrong: without permission, and an IPv6 dump beside a live pod', async t => {
	await using pod = await LivePodProcess.start();
	// Root without the rights that count here, as in a container. Not another user: that one might not be let into the folder of the checkout, and access(2), by which Node looks for files, ignores a right to read everything.
	const {exitCode, stderr} = await execa('setpriv', ['--bounding-set=-sys_admin,-sys_ptrace', '--inh-caps=-sys_admin,-sys_ptrace', process.execPath, 'scripts/run.cjs', 'testbed', 'rules', `pid:${pod.pid}`], {reject: false});
	t.is(exitCode, 3);
	t.regex(stderr, /There is no permission to enter the namespace of process \d+\./u);
	const dump = await testbed(['rules', `pid:${pod.pid}`, '--rules6', 'x']);
	t.is(dump.exitCode, 2);
	t.regex(dump.stderr, /works only with a dump; a live pod is read in both families/u);
});

function folderOf(t: ExecutionContext): string {
	const folder = mkdtempSync(path.join(tmpdir(), 'live-test-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	return folder;
}

test.serial('a container by its runtime\'s file, and by crictl', async t => {
	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.24', 'iptables-nft')});
	const folder = folderOf(t);
	const id = '3f4e8b2a91c0';
	mkdirSync(path.join(folder, `run/runc/${id}`), {recursive: true});
	writeFileSync(path.join(folder, `run/runc/${id}/state.json`), JSON.stringify({init_process_pid: pod.pid}));
	const crictl = path.join(folder, 'crictl');
	writeFileSync(crictl, `#!/bin/sh
case "$4" in
	aaaa) echo '{"info": {"pid": ${pod.pid}}, "status": {"state": "CONTAINER_RUNNING"}}';;
	bbbb) echo '{"info": {}, "status": {"state": "CONTAINER_EXITED"}}';;
	*) echo "no such container" >&2; exit 1;;
esac
`, {mode: 0o755});
	const env = {TESTBED_RUN_FOLDER: path.join(folder, 'run'), PATH: `${folder}:${process.env['PATH'] ?? ''}`};
	for (const name of [id, id.slice(0, 6), `containerd://${id}`, 'aaaa']) {
		const {exitCode, stdout} = await testbed(['rules', `container:${name}`, '--explain'], {env}); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(exitCode, 0, stdout);
		t.regex(stdout, /Istio sidecar/u);
	}

	for (const [name, message] of [['bbbb', /names no process of it \(CONTAINER_EXITED\)/u], ['cccc', /no runtime has a file of it in .*, and `crictl inspect --output json cccc` failed with status 1: no such container/u]] as const) {
		const {exitCode, stderr} = await testbed(['rules', `container:${name}`], {env}); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(exitCode, 3);
		t.regex(stderr, message);
	}
});

test.serial('a link in a pod does not lead to a file of this machine', t => {
	const folder = folderOf(t);
	mkdirSync(path.join(folder, 'root/etc'), {recursive: true});
	writeFileSync(path.join(folder, 'secret'), 'nameserver 6.6.6.6\n');
	symlinkSync(path.join(folder, 'secret'), path.join(folder, 'root/etc/absolute'));
	symlinkSync('../../secret', path.join(folder, 'root/etc/relative'));
	writeFileSync(path.join(folder, 'root/own'), 'nameserver 10.0.0.1\n');
	symlinkSync('/own', path.join(folder, 'root/etc/inside'));
	const root = openPath(path.join(folder, 'root'));
	t.throws(() => openInRoot(root, '/etc/absolute'), {message: /ENOENT/u});
	t.throws(() => openInRoot(root, '/etc/relative'), {message: /ENOENT/u});
	const inside = openInRoot(root, '/etc/inside');
	t.is(readFileSync(inside, 'utf8'), 'nameserver 10.0.0.1\n');
	closeDescriptor(inside);
	closeDescriptor(root);
});

test.serial('a scenario may not read a live pod by itself', async t => {
	const folder = folderOf(t);
	const file = path.join(folder, 'live.yaml');
	writeFileSync(file, `version: 1\nname: live\nabout: A live pod.\nrules: pid:${process.pid}\nprobes:\n  - name: out\n    from: app\n    to: remote:8080\n    expect: {stops: [remote:8080]}\n`);
	const {exitCode, stderr} = await testbed(['run', file]);
	t.is(exitCode, 2);
	t.regex(stderr, /is a live pod of this machine, which a scenario may not read by itself/u);
	t.regex(stderr, /--allow-outside/u);
});
