/** Signals: whatever a command is doing, it ends with 130 and leaves nothing behind; a second signal ends a command that does not clean up. */

import {existsSync, readdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {until, WatchedRun} from './_cli.js';

/** Commands that build something on the machine. What they say when they are under way, of those that say it; the others are under way when their sandbox stands: a short one says nothing before its result. */
const commands: ReadonlyArray<{readonly given: readonly string[]; readonly stream?: 'stdout' | 'stderr'; readonly underway?: RegExp}> = [
	{given: ['doctor'], stream: 'stdout', underway: /veth pairs/u},
	{given: ['run', '--rules', 'release:all'], stream: 'stderr', underway: /running \d+ rule sets|\d+ of \d+/u},
	{given: ['baseline', 'create', '--family', 'both']},
	{given: ['diff', '--consecutive', 'release:all --redirect-dns', '--family', 'both'], stream: 'stderr', underway: /testbed: /u},
	{given: ['mutate', '--cases', 'types'], stream: 'stderr', underway: /testbed: /u},
	{given: ['coverage', '--family', 'both'], stream: 'stderr', underway: /testbed: /u},
	{given: ['probe', '--batch', '-'], stream: 'stderr', underway: /building the sandbox|sending probes/u},
];

for (const [index, {given, stream, underway}] of commands.entries()) {
	const signal = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const)[index % 3]!;
	test.serial(`${signal} during ${given.join(' ')}: status 130, one sentence, and nothing is left`, async t => {
		// Its standard input is a pipe that says nothing and never ends.
		await using run = await WatchedRun.start(given, {stdin: 'pipe'});
		let said = '';
		if (stream !== undefined) {
			run.process[stream]!.on('data', (text: unknown) => {
				said += String(text);
			});
		}

		await until(`${given.join(' ')} is under way`, () => (underway === undefined ? run.noteNamespaces() > 0 : underway.test(said)) ? true : undefined);
		run.noteNamespaces();
		run.process.kill(signal);
		const {exitCode, stderr} = await run.process;
		t.is(exitCode, 130);
		t.regex(String(stderr), new RegExp(`^testbed: Interrupted by ${signal}\\.$`, 'mu'));
		t.notRegex(String(stderr), /^\s+at /mu);
		await t.notThrowsAsync(run.nothingLeft());
	});
}

/** So many ranges that dividing the packets takes seconds. */
const manyRanges = ['*nat', ':PREROUTING ACCEPT', ':INPUT ACCEPT', ':OUTPUT ACCEPT', ':POSTROUTING ACCEPT', ':RANGES -', '-A OUTPUT -p tcp -j RANGES', ...Array.from({length: 20_000}, (_, index) => `-A RANGES -d 10.${index >> 8}.${index & 255}.0/24 ${index % 2 === 0 ? '-j RETURN' : '-p tcp -j REDIRECT --to-ports 15001'}`), 'COMMIT', ''].join('\n');

for (const [index, command] of [['diff'], ['coverage', '--cases', 'complete'], ['baseline', 'create']].entries()) {
	const signal = (['SIGINT', 'SIGTERM'] as const)[index % 2]!;
	test.serial(`${signal} while classes are computed, during ${command.join(' ')}: status 130, and no report`, async t => {
		const {path: folder, cleanup} = await dir({unsafeCleanup: true});
		const file = path.join(folder, 'many.rules');
		writeFileSync(file, manyRanges);
		await using run = await WatchedRun.start([...command, file, ...(command[0] === 'diff' ? [file] : []), '--family', 'ipv4'], {stdin: 'pipe'});
		let said = '';
		run.process.stderr!.on('data', (text: unknown) => {
			said += String(text);
		});
		await until('classes are cut', () => said.includes('dividing packets of IPv4 into classes') ? true : undefined);
		run.process.kill(signal);
		const {exitCode, stdout, stderr} = await run.process;
		t.is(exitCode, 130);
		t.is(String(stdout), '');
		t.regex(String(stderr), new RegExp(`^testbed: Interrupted by ${signal}\\.$`, 'mu'));
		t.notRegex(String(stderr), /sending \d+ probes/u, 'it did not get that far');
		await t.notThrowsAsync(run.nothingLeft());
		await cleanup();
	});
}

test.serial('more classes than the limit: status 3, one sentence with a way to continue, and nothing is sent', async t => {
	await using run = await WatchedRun.start(['diff', 'release:1.24', 'release:1.30', '--limit', '10', '--family', 'ipv4'], {stdin: 'pipe'});
	const {exitCode, stdout, stderr} = await run.process;
	t.deepEqual([exitCode, String(stdout)], [3, '']);
	t.regex(String(stderr), /^testbed: The rules divide the packets of IPv4 into more than 10 classes\.$/mu);
	t.regex(String(stderr), /^→ Allow more with --limit 100 /mu);
});

test('an invalid line ends a batch at once, however slow its writer is', async t => {
	const run = execa(process.execPath, [path.resolve('scripts/run.cjs'), 'testbed', 'probe', '--batch', '-'], {stdin: 'pipe', reject: false});
	run.stdin.write('this is no probe\n'); // It is never closed.
	const {exitCode, stderr} = await run;
	t.is(exitCode, 2);
	t.regex(stderr, /^testbed: stdin, line 1: this is not JSON/mu);
});

/** Runs a program that has a signal to itself. `body` has `untilSignal`. */
async function script(body: string): Promise<{readonly exitCode: number | undefined; readonly signal: string | undefined; readonly stdout: string; readonly stderr: string}> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const file = path.join(folder, 'script.mjs');
	const dist = path.resolve('dist/testbed');
	writeFileSync(file, `import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import {untilSignal} from ${JSON.stringify(path.join(dist, 'cli/signals.js'))};
${body}
`);
	const {exitCode, signal, stdout, stderr} = await execa(process.execPath, [file], {reject: false});
	await cleanup();
	return {
		exitCode, signal, stdout: String(stdout), stderr: String(stderr),
	};
}

test('work that does not clean up is ended, with the same status', async t => {
	const {exitCode, stderr} = await script(`
		const forever = setInterval(() => {}, 1000);
		await untilSignal(async () => {
			process.kill(process.pid, 'SIGTERM');
			await new Promise(() => {});
		});
		console.log('not reached', forever);`);
	t.is(exitCode, 130);
	t.is(stderr, 'testbed: Interrupted by SIGTERM.\nEverything that the run created was removed.');
});

test('a second signal goes to the kernel: it ends the process immediately', async t => {
	const {signal, stdout} = await script(`
		await untilSignal(async () => {
			process.kill(process.pid, 'SIGTERM');
			process.kill(process.pid, 'SIGTERM'); // As npm passes on what the terminal has sent already: the same signal.
			await wait(1);
			console.log('still here');
			while (process.listenerCount('SIGTERM') > 0) await wait(5); // From then on, it is a second one.
			process.kill(process.pid, 'SIGTERM');
			for (;;); // Nobody would hear a handler.
		});`);
	t.is(signal, 'SIGTERM');
	t.is(stdout, 'still here');
});

test('a result that comes after a signal does not count, and an error is attributed to the signal', async t => {
	const {stdout} = await script(`
		for (const end of [() => 'a result', () => { throw new Error('a tool was ended by the same Ctrl-C'); }]) {
			try {
				console.log(await untilSignal(async () => {
					process.kill(process.pid, 'SIGINT');
					const begun = performance.now();
					while (performance.now() - begun < 50); // The thread is busy, so nobody hears the signal yet.
					return end();
				}));
			} catch (error) {
				console.log(error.code, error.message);
			}
		}`);
	t.is(stdout, 'INTERRUPTED Interrupted by SIGINT.\nINTERRUPTED Interrupted by SIGINT.');
});

test('without a signal nothing changes, and afterwards the kernel handles signals again', async t => {
	const {stdout} = await script(`
		console.log(await untilSignal(async signal => \`a result \${signal.aborted}\`));
		console.log(['SIGINT', 'SIGTERM', 'SIGHUP'].map(name => process.listenerCount(name)).join(' '));`);
	t.is(stdout, 'a result false\n0 0 0');
});

test('a signal can end any number of waits, and Node prints no warning', async t => {
	const {exitCode, stderr} = await script(`
		await untilSignal(async signal => {
			for (let count = 0; count < 50; count++) {
				signal.addEventListener('abort', () => {});
			}
		});`);
	t.deepEqual([exitCode, stderr], [0, '']);
});

test('coverage with scenarios prints no warning', async t => {
	await using run = await WatchedRun.start(['coverage', '--cases', 'types,scenarios']);
	const {exitCode, stderr} = await run.process;
	t.is(exitCode, 0, String(stderr));
	t.notRegex(String(stderr), /Warning/u);
});

/** A script of somebody who uses the library. */
async function libraryScript(body: string): Promise<{readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string}> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const file = path.join(folder, 'script.mjs');
	writeFileSync(file, `import {openSandbox} from ${JSON.stringify(path.resolve('dist/testbed/index.js'))};\n${body}\n`);
	const {exitCode, stdout, stderr} = await execa(process.execPath, [file], {reject: false, timeout: 120_000, killSignal: 'SIGKILL'});
	await cleanup();
	return {exitCode, stdout: String(stdout), stderr: String(stderr)};
}

test('a script that forgets to close its sandbox ends anyway, with its answers', async t => {
	const {exitCode, stdout, stderr} = await libraryScript(`
		const sandbox = await openSandbox('release:1.30');
		const {stops} = await sandbox.probe({to: 'remote:8080'});
		const answers = await sandbox.probeAll([{to: 'vip:8080'}, {to: 'pod:8080', from: 'remote'}]);
		console.log(stops.join(' '), answers.map(({outcome}) => outcome).join(' '));`);
	t.deepEqual([exitCode, stdout, stderr], [0, 'proxy:15001 remote:8080 delivered delivered', '']);
});

test('no folder for temporary files is needed, and no file is created in one', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const launcher = path.resolve('scripts/run.cjs');
	const run = async (temporary: string) => execa(process.execPath, [launcher, 'testbed', 'run', '--types', '1', '--backend', 'iptables-legacy'], {reject: false, env: {TMPDIR: temporary}});
	const missing = path.join(folder, 'none');
	const [there, elsewhere] = await Promise.all([run(folder), run(missing)]);
	t.is(there.exitCode, 0, String(there.stderr));
	t.is(elsewhere.exitCode, 0, String(elsewhere.stderr));
	t.deepEqual(readdirSync(folder), []);
	t.false(existsSync(missing));
	await cleanup();
});
