/** Which files go into a guest, and what is run there. */

import {
	existsSync, mkdirSync, readFileSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {TestbedError} from '../../../../testbed/errors.js';
import {jobScript} from '../../../../testbed/kernels/job.js';
import {filesNamedIn, packFiles, packTestbed} from '../../../../testbed/kernels/pack.js';
import {cacheFolder} from '../../../../testbed/kernels/cache.js';
import {requireArchitecture, requirePrograms} from '../../../../testbed/kernels/needs.js';
import {requireKeyring} from '../../../../testbed/kernels/apt.js';
import {qemuArguments} from '../../../../testbed/kernels/qemu.js';

test('words of a command that name files, in each form that inputs have', async t => {
	const folder = await dir({unsafeCleanup: true});
	try {
		const place = (name: string): string => path.join(folder.path, name);
		mkdirSync(place('tests'));
		for (const name of ['my.rules', 'pod.yaml', 'run', 'tests/a.yaml']) {
			writeFileSync(place(name), name);
		}

		const found = filesNamedIn(['run', 'tests/', '--rules', 'my.rules', '--rules6=my.rules', '--backend', 'all', 'pod:pod.yaml', 'missing', '/proc/self/status', '/', '', '-'], folder.path);
		t.deepEqual(found, [place('run'), place('tests'), place('my.rules'), place('pod.yaml')]);
		packFiles(found, place('out'));
		t.is(readFileSync(path.join(place('out'), place('tests/a.yaml')), 'utf8'), 'tests/a.yaml');
		t.is(readFileSync(path.join(place('out'), place('pod.yaml')), 'utf8'), 'pod.yaml');
		const error = t.throws(() => {
			packFiles([place('missing')], place('out'));
		}, {instanceOf: TestbedError});
		t.is(error.code, 'INPUT');
	} finally {
		await folder.cleanup();
	}
});

test('the packed testbed is one that is installed: with the addon, without the compiler\'s settings', async t => {
	const folder = await dir({unsafeCleanup: true});
	try {
		packTestbed(folder.path);
		for (const name of ['bin/testbed', 'scripts/testbed.cjs', 'package.json', 'node_modules/koffi/package.json', 'node_modules/@koromix/koffi-linux-x64/package.json']) {
			t.true(existsSync(path.join(folder.path, name)), name);
		}

		t.false(existsSync(path.join(folder.path, 'tsconfig.json')));
		const error = t.throws(() => {
			packTestbed(folder.path, path.join(folder.path, 'node_modules'));
		}, {instanceOf: TestbedError});
		t.is(error.code, 'NOT_TRIED');
	} finally {
		await folder.cleanup();
	}
});

test('run also writes its results, whatever it is called; other commands are run as they are', t => {
	t.regex(jobScript(['run', '--backend', 'all'], '/home/me'), /^mkdir -p '\/home\/me'\ncd '\/home\/me' \|\| exit 1\nexport TESTBED_TIMEOUT=30000\n.*\nnode \/job\/testbed\/bin\/testbed 'run' '--output' 'json=\/out\/report\.json' '--backend' 'all' >/u);
	t.regex(jobScript(['--types', '1'], '/'), /testbed 'run' '--output' 'json=\/out\/report\.json' '--types' '1' >/u);
	t.regex(jobScript(['diff', 'a b', 'it\'s'], '/'), /testbed 'diff' 'a b' 'it'\\''s' >/u);
});

test('images are in the cache of the user', t => {
	t.is(cacheFolder({XDG_CACHE_HOME: '/var/cache/me', HOME: '/home/me'}), '/var/cache/me/sidecar-netfilter-testbed/kernels');
	t.is(cacheFolder({XDG_CACHE_HOME: 'relative', HOME: '/home/me'}), '/home/me/.cache/sidecar-netfilter-testbed/kernels');
	t.is(cacheFolder({XDG_CACHE_HOME: '', HOME: '/home/me'}), '/home/me/.cache/sidecar-netfilter-testbed/kernels');
});

test('what this machine lacks is named at once, with one command', t => {
	const lacking = (...names: readonly string[]) => t.throws(() => {
		requirePrograms(['qemu-system-x86_64', 'mke2fs', 'mmdebstrap', 'apt-get', 'apt-cache'], {what: 'Booting a kernel', find: name => names.includes(name) ? undefined : `/usr/bin/${name}`});
	}, {instanceOf: TestbedError});
	const error = lacking('qemu-system-x86_64', 'mke2fs', 'mmdebstrap');
	t.is(error.code, 'NOT_TRIED');
	t.is(error.message, 'Booting a kernel needs qemu-system-x86_64, mke2fs, mmdebstrap, and this machine has no such program.');
	t.regex(error.hint!, /apt-get install -y qemu-system-x86 e2fsprogs mmdebstrap$/u);
	t.is(lacking('apt-get', 'apt-cache').hint, 'The kernels are Debian\'s packages: run it on a Debian or Ubuntu.');
	t.is(t.throws(() => {
		requireArchitecture('arm64', 'linux');
	}, {instanceOf: TestbedError}).message, 'Other kernels are booted on Linux on x86-64 only, and this is linux on arm64.');
	t.regex(t.throws(() => {
		requireKeyring('/nonexistent/keys.gpg');
	}, {instanceOf: TestbedError}).hint!, /debian-archive-keyring$/u);
});

test('a file name with a comma does not end an option of QEMU', t => {
	const files = {
		kernel: {series: '6.1', name: 'a', version: '1', release: 'b'}, vmlinuz: '/v', initramfs: '/i', modules: '/m',
	};
	t.true(qemuArguments({files, accelerator: 'tcg', disks: [{file: '/a,b', kind: 'own'}]}).includes('file=/a,,b,if=virtio,format=raw,cache=unsafe,snapshot=on'));
});
