/** Which Envoy is used. */

import {
	chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import {findEnvoy, howToGetEnvoy, locateEnvoy, parseVersion} from '../../../../../testbed/actors/envoy/find.js';
import {TestbedError} from '../../../../../testbed/errors.js';

/** A folder with programs, which is removed after the test. */
function folderOf(t: {readonly teardown: (act: () => void) => void}, files: Readonly<Record<string, string>>): string {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'testbed-envoy-'));
	t.teardown(() => {
		rmSync(folder, {recursive: true});
	});
	for (const [name, text] of Object.entries(files)) {
		writeFileSync(path.join(folder, name), text);
		chmodSync(path.join(folder, name), 0o755);
	}

	return folder;
}

test('--envoy comes before the variable, and that before PATH', t => {
	const folder = folderOf(t, {envoy: ''});
	const other = folderOf(t, {envoy: ''});
	t.deepEqual(locateEnvoy('/a', {ENVOY: '/b'}, [folder]), {file: '/a', by: '--envoy'});
	t.deepEqual(locateEnvoy(undefined, {ENVOY: '/b'}, [folder]), {file: '/b', by: 'the variable ENVOY'});
	t.deepEqual(locateEnvoy(undefined, {ENVOY: ''}, ['/nowhere', folder, other]), {file: path.join(folder, 'envoy'), by: 'PATH'});
});

test('files in PATH that are not programs are skipped', t => {
	const folder = folderOf(t, {});
	mkdirSync(path.join(folder, 'envoy'));
	const other = folderOf(t, {envoy: ''});
	t.is(locateEnvoy(undefined, {}, [folder, other]).file, path.join(other, 'envoy'));
});

test('none anywhere: how to get one', t => {
	const error = t.throws(() => locateEnvoy(undefined, {}, ['/nowhere']), {instanceOf: TestbedError, code: 'MISSING_PROGRAM', message: /no envoy in PATH, and neither --envoy nor the variable ENVOY names one/});
	t.is(error.hint, howToGetEnvoy);
});

test('the version, of Envoy itself and of Istio\'s build', t => {
	t.is(parseVersion('\nenvoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL\n'), '1.40.0');
	t.is(parseVersion('envoy  version: 0123abc/1.38.1-dev/Clean/RELEASE/BoringSSL'), '1.38.1-dev');
	t.is(parseVersion('curl 8.1'), undefined);
	t.is(parseVersion('version: latest/'), undefined);
});

const says = '#!/bin/sh\necho x\n';

test('a file that is not there, or is not a program', async t => {
	const folder = folderOf(t, {});
	await t.throwsAsync(findEnvoy(path.join(folder, 'envoy')), {code: 'MISSING_PROGRAM', message: /There is no file .*, which --envoy names/});
	writeFileSync(path.join(folder, 'envoy'), '');
	await t.throwsAsync(findEnvoy(path.join(folder, 'envoy')), {code: 'INPUT', message: /cannot be run/});
	await t.throwsAsync(findEnvoy(folder), {code: 'INPUT', message: /cannot be run/});
});

test('a script that starts another program, and a program that is not Envoy', async t => {
	const folder = folderOf(t, {envoy: says, python: '#!/usr/bin/python3\nprint(1)\n'});
	await t.throwsAsync(findEnvoy(path.join(folder, 'envoy')), {code: 'INPUT', message: /is a script that starts Envoy, and the testbed needs the program itself/});
	await t.throwsAsync(findEnvoy(path.join(folder, 'python')), {code: 'INPUT', message: /is a script/});
	await t.throwsAsync(findEnvoy('/bin/true'), {code: 'INPUT', message: /is not Envoy: asked for its version, it printed/});
	await t.throwsAsync(findEnvoy('/bin/false'), {code: 'INPUT', message: /does not print a version/});
});

test('the script of Python\'s package: the program that it would start', async t => {
	const folder = folderOf(t, {});
	const real = path.join(folder, 'program');
	symlinkSync('/bin/true', real);
	// An interpreter that knows the package.
	writeFileSync(path.join(folder, 'python3'), `#!/bin/sh\necho ${real}\n`);
	writeFileSync(path.join(folder, 'envoy'), `#!${path.join(folder, 'python3')}\n`);
	for (const name of ['python3', 'envoy']) {
		chmodSync(path.join(folder, name), 0o755);
	}

	// It is found and asked; that it is not Envoy is what comes next.
	await t.throwsAsync(findEnvoy(path.join(folder, 'envoy')), {message: /\/true, which --envoy names, is not Envoy/});
});
