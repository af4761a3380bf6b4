/** Everything that plays, as an ordinary user with a range of IDs: the same answers as root, and nothing left behind. */

import {readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {backends} from '../../src/netfilter/types.js';
import {isLeftOut} from '../helpers/left-out.js';
import {
	testbed, until, WatchedRun, type Ended,
} from './_cli.js';
import {asUser, testbedAsUser, user} from './_user.js';

/** Reports without what differs from run to run: times, and ports that the kernel chose. */
function comparable(json: string): unknown {
	const document = JSON.parse(json) as Record<string, unknown>;
	const kept = (value: unknown): unknown => {
		if (Array.isArray(value)) {
			return value.map(item => kept(item));
		}

		if (typeof value === 'object' && value !== null) {
			return Object.fromEntries(Object.entries(value).filter(([key]) => !['durationMs', 'port', 'mayPass'].includes(key)).map(([key, item]) => [key, kept(item)]));
		}

		return value;
	};

	return kept(document);
}

type Case = {readonly given: readonly string[]; readonly input?: string; readonly status?: number};

const lines = ['ipv4', 'ipv6'].flatMap(family => [
	{to: 'remote:8080'}, {to: 'remote:8080', uid: 1337}, {from: 'remote', to: 'pod:8080'}, {to: 'remote:53', proto: 'udp', uid: 65_534}, {to: 'localhost:8080', mark: 1337},
].map(line => ({...line, family}))).map(line => `${JSON.stringify(line)}\n`).join('');

/** Each is run by root and by the user. */
const cases: readonly Case[] = [
	...['release:1.30', 'release:1.30 -m TPROXY', 'release:1.30 --redirect-dns', 'ambient:1.30'].map(rules => ({given: ['run', '--rules', rules, '--backend', 'all', '--family', 'both', '--format', 'json']})),
	...backends.map(backend => ({given: ['probe', '--to', 'remote:8080', '--backend', backend, '--format', 'json']})),
	...backends.map(backend => ({given: ['probe', '--batch', '-', '--backend', backend, '--rules', 'release:1.30 --redirect-dns'], input: lines})),
	{given: ['diff', 'release:1.30', 'release:1.30 -u 2000', '--format', 'json'], status: 1},
];

async function both({given, input = ''}: Case): Promise<readonly [root: Ended, user: Ended]> {
	return Promise.all([testbed(given, {input}), testbedAsUser(given, {input})]);
}

/** Whether two texts say the same: JSON, or a line of JSON for each answer. */
function say(text: string): unknown {
	return text.startsWith('{\n') || text.startsWith('[') ? comparable(text) : text.trim().split('\n').map(line => comparable(line));
}

for (const {given, input = '', status = 0} of cases) {
	test.serial(`the same as root: ${given.join(' ')}`, async t => {
		if (isLeftOut(t, {program: 'newuidmap'})) {
			return;
		}

		const [asRoot, asOther] = await both({given, input});
		t.is(asRoot.exitCode, status, asRoot.stderr);
		t.is(asOther.exitCode, status, asOther.stderr);
		t.deepEqual(say(asOther.stdout), say(asRoot.stdout));
	});
}

test.serial('the doctor finds nothing missing, and says what remains for root', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const {exitCode, stdout, stderr} = await testbedAsUser(['doctor']);
	t.is(exitCode, 0, stderr);
	const text = stdout.replaceAll(/\s+/gu, ' ');
	t.regex(text, /✔ no root \(3 of 3\): root of a user namespace, for everything but run --keep, enter, clean and live pods; UIDs and GIDs 0 to 65535;/u);
	t.regex(text, /✔ rule tools confined \(3 of 3\): their own root, PID namespace and capabilities/u);
	const asRoot = await testbed(['doctor']);
	t.notRegex(asRoot.stdout, /no root/u);
});

for (const [given, says] of [
	[['run', '../checkout/scenarios/foreign-rule-in-front.yaml'], /passed, 0 failed/u],
	[['run', '../checkout/scenarios/invalid-packets.yaml', '--backend', 'all'], /passed, 0 failed/u],
	[['mutate', 'release:1.30', '--sample', '1', '--cases', 'types'], /1 of \d+ mutants/u],
	[['coverage', '--cases', 'types', '--family', 'ipv4'], /ISTIO_OUTPUT/u],
	[['lesson', 'hairpin'], /hairpin/iu],
] as const) {
	test.serial(`plays: ${given.join(' ')}`, async t => {
		if (isLeftOut(t, {program: 'newuidmap'})) {
			return;
		}

		const {exitCode, stdout, stderr} = await testbedAsUser(given, {input: given[0] === 'lesson' ? '?\n?\n?\n' : ''});
		t.true(exitCode === 0 || exitCode === 1, `${given.join(' ')}: status ${exitCode}\n${stderr}`);
		t.regex(stdout, says);
	});
}

test.serial('a baseline belongs to the user, and is checked', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	await execa('chown', [String(user.uid), folder]);
	const file = path.join(folder, 'baseline.json');
	const created = await testbedAsUser(['baseline', 'create', '--output', file, '--family', 'ipv4']);
	t.is(created.exitCode, 0, created.stderr);
	t.is(statSync(file).uid, user.uid);
	const checked = await testbedAsUser(['baseline', 'check', file]);
	t.is(checked.exitCode, 0, checked.stderr);
	const changed = await testbedAsUser(['baseline', 'check', file, 'release:1.30 -u 2000', '--family', 'ipv4']);
	t.is(changed.exitCode, 1, changed.stderr);
	await cleanup();
});

const statuses: ReadonlyArray<readonly [given: readonly string[], status: number, says: RegExp]> = [
	[['run', '--types', '9'], 2, /There is no type 9/u],
	[['run', '--rules', '-'], 2, /standard input is empty/u],
	[['run', '--keep'], 4, /This needs root, but this is UID 4242: --keep gives namespaces names in \/run\/netns, where only root may write\.\nNothing was run\.\n→ sudo env "PATH=\$PATH" \S+ run --keep/u],
	[['run', '--keep-for', '10s'], 4, /--keep gives namespaces names/u],
	[['enter'], 4, /This needs root, but this is UID 4242/u],
	[['clean'], 4, /This needs root, but this is UID 4242/u],
	[['run', '--rules', 'pid:1'], 3, /There is no permission to enter the namespace of process 1/u],
];

for (const [given, status, says] of statuses) {
	test.serial(`status ${status}: ${given.join(' ')}`, async t => {
		if (isLeftOut(t, {program: 'newuidmap'})) {
			return;
		}

		const {exitCode, stderr} = await testbedAsUser(given);
		t.is(exitCode, status, stderr);
		t.regex(stderr, says);
	});
}

test.serial('standard input reaches the command', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const {stdout: rules} = await testbed(['rules', 'release:1.30']);
	const {exitCode, stdout, stderr} = await testbedAsUser(['run', '--rules', '-', '--types', '3', '--format', 'json'], {input: rules});
	t.is(exitCode, 0, stderr);
	t.true(stdout.includes('"source": "-"'), stdout);
});

test.serial('what only reads needs no user namespace', async t => {
	for (const given of [['run', '--list'], ['mutate', '--print', '1'], ['lesson', '--list'], ['rules']]) {
		const {exitCode, stdout, stderr} = await testbedAsUser(given, {before: 'mkdir "$d/root"; mount --rbind / "$d/root"', around: 'exec chroot "$0/root" "$@"'}); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(exitCode, 0, `${given.join(' ')}: ${stderr}`);
		t.not(stdout, '');
	}
});

test.serial('mounts below a folder of libraries, as /usr/lib/wsl is one, come along into the root of the rule tools', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const {exitCode, stdout, stderr} = await testbedAsUser(['run', '--types', '3', '--backend', 'all'], {before: 'set -- "$@"; below=$(ls -d /usr/lib/*/ | head -n 1); mount --bind "$below" "$below"'});
	t.is(exitCode, 0, stderr);
	t.regex(stdout, /3 passed, 0 failed/u);
});

test.serial('a checkout of root that must be built first: status 4, with who can do it', async t => {
	const {exitCode, stdout, stderr} = await testbedAsUser(['run'], {before: 'mount --bind "$d/empty" "$d/checkout/src/meshes.ts"'});
	t.is(exitCode, 4, stderr);
	t.is(stdout, '');
	t.regex(stderr, /This checkout must be set up \(it is new, or something changed\), but UID 4242 may not write to \S+\.\n.*\n.*sudo env "PATH=\$PATH" npm run build/u);
});

async function startAsUser(t: ExecutionContext, given: readonly string[]): Promise<{readonly run: WatchedRun; readonly cleanup: () => Promise<void>}> {
	const folder = await dir({prefix: 'testbed-user-', unsafeCleanup: true});
	const {words, env} = asUser(folder.path, {staysInFolder: true});
	const run = await WatchedRun.start(given, {stdin: 'pipe', env: {...process.env, ...env}}, words);
	t.teardown(async () => {
		await run[Symbol.asyncDispose]();
		await folder.cleanup();
	});
	return {run, cleanup: folder.cleanup};
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
	test.serial(`${signal} while it runs: it ends like root's, and nothing is left`, async t => {
		if (isLeftOut(t, {program: 'newuidmap'})) {
			return;
		}

		const {run} = await startAsUser(t, ['run', '--rules', 'release:all']);
		await run.says(/running \d+ rule sets|\d+ of \d+/u);
		// It says so before it has made a namespace.
		await until('it has made a namespace', () => run.noteNamespaces() > 0 ? true : undefined);
		run.process.kill(signal);
		const ended = await run.process;
		if (signal === 'SIGKILL') {
			t.is(ended.signal, 'SIGKILL');
		} else {
			t.is(ended.exitCode, 130);
			t.regex(String(ended.stderr), new RegExp(`^testbed: Interrupted by ${signal}\\.$`, 'mu'));
		}

		await t.notThrowsAsync(run.nothingLeft());
	});
}

test.serial('the process stays one: no shell and no helper remains beside it', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const {run} = await startAsUser(t, ['serve']);
	let said = '';
	run.process.stdout!.on('data', (text: unknown) => {
		said += String(text);
	});
	await until('the server prints its URL', () => run.process.exitCode !== null || said.includes('Ctrl-C ends') ? true : undefined);
	const [url] = /http:\/\/\S+/u.exec(said) ?? [''];
	t.regex(url, /^http:\/\/127\.0\.0\.1:\d+\/\?token=/u);
	// It listens in the machine's network, although the process is in another.
	const page = await fetch(url);
	t.is(page.status, 200);
	t.regex(await page.text(), /<!doctype html>/iu);
	const pid = run.process.pid!;
	t.regex(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /^\S*node\0.*inside\.cjs\0/su);
	t.is(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split('\n').length, 2);
	const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(child => readFileSync(`/proc/${child}/stat`, 'utf8'));
	t.false(children.some(stat => stat.includes(') Z ')), children.join(''));
	run.process.kill('SIGTERM');
	const {exitCode} = await run.process;
	t.is(exitCode, 130);
	await t.notThrowsAsync(run.nothingLeft());
	await t.throwsAsync(fetch(url));
});

test.serial('a port that is taken: status 2, before anything is built', async t => {
	if (isLeftOut(t, {program: 'newuidmap'})) {
		return;
	}

	const {createServer} = await import('node:net');
	const server = createServer().listen(0, '127.0.0.1');
	await new Promise(resolve => {
		server.once('listening', resolve);
	});
	const {port} = server.address() as {readonly port: number};
	const {exitCode, stderr} = await testbedAsUser(['serve', '--port', String(port)]);
	t.is(exitCode, 2, stderr);
	t.regex(stderr, new RegExp(`Nothing can listen on 127\\.0\\.0\\.1:${port}: listen EADDRINUSE\\.`, 'u'));
	server.close();
});
