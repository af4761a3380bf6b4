/** The campaign's small form, and its counterparts that must go red: what is left on purpose, changed on purpose or answered wrongly on purpose is told. */

import {
	chmodSync, mkdtempSync, rmSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {RunningServer} from './_serve.js';

const soak = path.resolve('scripts/soak.mjs');

/** Runs the campaign on the build that is being tested. */
async function campaign(given: readonly string[]): Promise<{readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string}> {
	const {exitCode, stdout, stderr} = await execa(process.execPath, [soak, ...given, '--built', '--no-write', '--seed', '5'], {reject: false});
	return {exitCode, stdout, stderr};
}

test.serial('the small campaign: nothing is left, nothing passes wrongly, every part tried something', async t => {
	const {exitCode, stdout, stderr} = await campaign(['--small']);
	t.is(exitCode, 0, `${stdout}\n${stderr}`);
	t.deepEqual([...stdout.matchAll(/^ok +(?<part>\w+) +(?<tried>[1-9]\d*) tried, 0 faults/gmu)].map(({groups}) => groups!['part']), ['runs', 'kills', 'together', 'faults', 'inputs']);
});

test.serial('the page takes every action with which the campaign uses it', async t => {
	const {actions} = await import(path.resolve('scripts/soak/kills.mjs')) as {actions: ReadonlyArray<Readonly<Record<string, unknown>>>};
	await using server = await RunningServer.start();
	await server.ready();
	for (const action of actions) {
		const {status, body} = await server.act(action); // eslint-disable-line no-await-in-loop -- One after another, as the campaign does.
		t.is(status, 200, `${JSON.stringify(action)}: ${body}`);
		await server.ready(); // eslint-disable-line no-await-in-loop
	}
});

/** What a program does beside the run that it starts, and the words by which the campaign tells it. */
const damages: ReadonlyArray<readonly [title: string, script: string, words: RegExp]> = [
	['a process', 'sleep 1000 &', /run 1: The run left something behind: \{"processes":\[\d+\]/u],
	['a process elsewhere', 'cd /; sleep 1000 &', /run 1: Process \d+ \(state S\) is left: sleep 1000/u],
	['a namespace with a name', '/usr/sbin/ip netns add left', /run 1: A mount is left: net:\[\d+\] at \/run\/netns\/left\./u],
	['a namespace that a process holds', 'cd /; unshare --net sleep 1000 &', /run 1: A namespace is left: net:\[\d+\]\./u],
	['a file for temporary files', 'touch "$TMPDIR/left"', /run 1: The run left something behind: .*"files":\["left"\]/u],
	['a file elsewhere', 'mkdir -p /run/left/below; touch /run/left/below/file', /run 1: A file is left: \/run\/left\/below\/file\./u],
	['a mount', 'mkdir /run/here; mount -t tmpfs left /run/here', /run 1: A mount is left: \/ at \/run\/here\./u],
	['a socket that listens', `cd /; "${process.execPath}" -e 'require("net").createServer().listen(7777)' & sleep 1`, /run 1: A socket is left \(\/proc\/net\/tcp6?\): /u],
	['a rule of the machine', '/usr/sbin/nft add table inet left', /The tables of the runs' machine changed\./u],
	['another answer', 'exit 0', /run 1: it passed with another result\./u],
	['a stack trace', 'echo "    at main (file:///x.mjs:1:2)" >&2', /run 1: it printed a stack trace/u],
	['a failure', 'exit 3', /run 1: it ended with status 3/u],
	['a crash', 'kill -SEGV $$', /run 1: it was ended by SIGSEGV\./u],
];

for (const [title, script, words] of damages) {
	test.serial(`goes red: ${title}`, async t => {
		const folder = mkdtempSync(path.resolve('dist/.through-')); // The campaign has a /tmp of its own.
		try {
			const program = path.join(folder, 'through.sh');
			// The first run is the one to compare with: it must be right.
			writeFileSync(program, `#!/bin/sh\nif [ ! -e "${folder}/first" ]; then touch "${folder}/first"; exec "$@"; fi\n${script.startsWith('exit') || script.startsWith('kill') ? `"$@" >/dev/null\n${script}` : `"$@"\nstatus=$?\n(${script}) >/dev/null </dev/null${script.includes('>&2') ? '' : ' 2>&1'}\nexit $status`}\n`);
			chmodSync(program, 0o755);
			const {exitCode, stdout, stderr} = await campaign(['runs', '--count', '1', '--through', program, '--patience', '1']);
			t.is(exitCode, 1, stderr);
			t.regex(stdout, /^FAIL runs +1 tried/mu);
			t.regex(stdout, words);
		} finally {
			rmSync(folder, {recursive: true});
		}
	});
}
