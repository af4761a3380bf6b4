/** `npm run record`, as a process: it is run by hand and rarely, so nothing else would notice that it no longer works. */

import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {backends} from '../../src/netfilter/types.js';

type Recording = {readonly backend: string; readonly paths: readonly string[]; readonly datagrams: readonly unknown[]; readonly saved: readonly string[]};

for (const backend of backends) {
	test(`a round is recorded with every message and the path of each type, ${backend}`, async t => {
		const {path: folder, cleanup} = await dir({unsafeCleanup: true});
		const {stdout} = await execa(process.execPath, ['scripts/record.mjs', '--output', folder, `${backend}-ipv4`]);
		const recording = JSON.parse(readFileSync(path.join(folder, `${backend}-ipv4.json`), 'utf8')) as Recording;
		t.is(recording.backend, backend);
		t.is(recording.paths.length, 7);
		t.deepEqual(recording.paths.filter(steps => steps.includes('unknown')), []);
		t.true(recording.datagrams.length > 50);
		t.true(recording.saved.some(line => /^-A ISTIO_OUTPUT|chain istio-output/u.test(line)));
		t.regex(stdout, new RegExp(`^${backend}-ipv4: ${recording.datagrams.length} datagrams`, 'u'));
		await cleanup();
	});
}

test('goes red: a recording that does not exist', async t => {
	const {exitCode, stderr} = await execa(process.execPath, ['scripts/record.mjs', 'nothing'], {reject: false});
	t.is(exitCode, 2);
	t.regex(stderr, /^There is no recording nothing\. Names: iptables-nft-ipv4, /u);
});
