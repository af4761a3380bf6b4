/**
`--keep`, `enter` and `clean`. They use /run, which belongs to the machine; so the tests run in their own mount namespace, where /run is an empty folder, and touch nothing that others have kept.
*/

import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa, type ResultPromise} from 'execa';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {printSave} from '../../src/netfilter/iptables/save.js';

const launcher = path.resolve('scripts/run.cjs');

/** A mount namespace with a /run of its own, held by a process. */
class OwnRun implements AsyncDisposable {
	static async create(): Promise<OwnRun> {
		const holder = execa('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs none /run && echo ready && exec cat'], {reject: false}) as ResultPromise;
		await new Promise<void>((resolve, reject) => {
			holder.stdout!.once('data', () => {
				resolve();
			});
			void (async () => {
				const {stderr} = await holder;
				reject(new Error(`No mount namespace: ${String(stderr)}`));
			})();
		});
		return new OwnRun(holder);
	}

	readonly #holder: ResultPromise;

	private constructor(holder: ResultPromise) {
		this.#holder = holder;
	}

	/** Runs a program with that /run. */
	async run(file: string, given: readonly string[] = []): Promise<{readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string}> {
		const {exitCode, stdout, stderr} = await execa('nsenter', [`--mount=/proc/${this.#holder.pid}/ns/mnt`, `--wd=${process.cwd()}`, '--', file, ...given], {reject: false});
		return {exitCode, stdout, stderr};
	}

	/** Runs `testbed`. */
	async testbed(given: readonly string[]): ReturnType<OwnRun['run']> {
		return this.run(process.execPath, [launcher, 'testbed', ...given]);
	}

	/** Keeps a run; the names of its namespaces. */
	async keep(): Promise<readonly string[]> {
		const {stderr} = await this.testbed(['--keep', '--types', '3']);
		return namesIn(stderr);
	}

	/** The names of all namespaces that have one. */
	async names(): Promise<readonly string[]> {
		const {stdout} = await this.run('sh', ['-c', 'ls /run/netns 2>/dev/null']);
		return stdout.split('\n').filter(name => name !== '').toSorted();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		// A test that failed has left its keeper running.
		await this.testbed(['clean']);
		this.#holder.kill();
		await this.#holder;
	}
}

function namesIn(stderr: string): readonly string[] {
	return [...new Set([...stderr.matchAll(/ip netns exec (?<name>\S+)/gu)].map(({groups}) => groups!['name']!))];
}

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test(`--keep, ${backend}: both namespaces have names, and the rules are still in the pod's`, async t => {
		await using ownRun = await OwnRun.create();
		const {exitCode, stderr} = await ownRun.testbed(['--keep', '--backend', backend, '--types', '1,2']);
		t.is(exitCode, 0, stderr);
		const names = namesIn(stderr);
		t.is(names.length, 2);
		t.regex(names[0]!, /^testbed-[\da-f]{6}-pod$/u);
		t.is(names[1], names[0]!.replace(/pod$/u, 'remote'));
		t.regex(stderr, /bin\/testbed clean/u);
		t.deepEqual(await ownRun.names(), [...names].toSorted());

		const {stdout: rules} = await ownRun.run('ip', ['netns', 'exec', names[0]!, `${backend}-save`, '-t', 'nat']);
		const {ruleSet} = loadRuleInput({source: 'release:1.30', source6: undefined, families: ['ipv4']});
		const ruleLines = (text: string): readonly string[] => text.split('\n').filter(line => line.startsWith('-A '));
		t.deepEqual(ruleLines(rules), ruleLines(printSave(ruleSet, 'ipv4')));
		const {stdout: addresses} = await ownRun.run('ip', ['-n', names[0]!, '-brief', 'address']);
		t.regex(addresses, /eth0@\S+\s+UP\s+10\.244\.1\.10\/24/u);

		const cleaned = await ownRun.testbed(['clean']);
		t.is(cleaned.exitCode, 0);
		t.deepEqual(cleaned.stdout.split('\n').toSorted(), names.map(name => `${name}: removed`).toSorted());
		t.deepEqual(await ownRun.names(), []);
	});
}

test('clean removes what two runs kept, and nothing that others made, even if it has a name like ours', async t => {
	await using ownRun = await OwnRun.create();
	const first = await ownRun.keep();
	const second = await ownRun.keep();
	t.is(new Set([...first, ...second]).size, 4);
	for (const command of [['add', 'somebody'], ['add', 'testbed-000000-pod'], ['del', first[0]!], ['add', first[0]!], ['del', second[1]!]]) {
		await ownRun.run('ip', ['netns', ...command]); // eslint-disable-line no-await-in-loop -- In this order.
	}

	const {exitCode, stdout} = await ownRun.testbed(['clean']);
	t.is(exitCode, 0);
	t.deepEqual(stdout.split('\n').toSorted(), [
		`${first[0]!}: now another namespace, left alone`, `${first[1]!}: removed`, `${second[0]!}: removed`, `${second[1]!}: already gone`,
	].toSorted());
	t.deepEqual(await ownRun.names(), ['somebody', 'testbed-000000-pod', first[0]!].toSorted());

	const again = await ownRun.testbed(['clean']);
	t.like(again, {exitCode: 0, stdout: 'There is nothing to clean.'});
	const names = await ownRun.names();
	t.is(names.length, 3);
});

test('without --keep, no namespace has a name', async t => {
	await using ownRun = await OwnRun.create();
	await ownRun.testbed(['--types', '3']);
	t.deepEqual(await ownRun.names(), []);
	const {stdout} = await ownRun.testbed(['clean']);
	t.is(stdout, 'There is nothing to clean.');
});

/** Processes of a kept sandbox that still run: those whose command line names a program of a keeper or an actor, in one of these namespaces. */
async function processesIn(ownRun: OwnRun, names: readonly string[]): Promise<readonly string[]> {
	const pids = await Promise.all(names.map(async name => ownRun.run('ip', ['netns', 'pids', name])));
	return pids.flatMap(({stdout}) => stdout.split('\n')).filter(pid => pid !== '');
}

const ask = ['bash', '-c', 'cat </dev/tcp/10.244.1.20/8080'];

test('enter: the listeners still answer, and the rules decide by user', async t => {
	await using ownRun = await OwnRun.create();
	const {stderr} = await ownRun.testbed(['--keep', '--types', '2']);
	const [pod] = namesIn(stderr);
	const counted = async (): Promise<string> => {
		const {stdout} = await ownRun.run('ip', ['netns', 'exec', pod!, 'iptables-nft-save', '-c', '-t', 'nat']);
		return /\[(?<packets>\d+):\d+\] -A ISTIO_REDIRECT/u.exec(stdout)?.groups?.['packets'] ?? 'none';
	};

	const before = Number(await counted());
	t.like(await ownRun.testbed(['enter', 'app', '--', ...ask]), {exitCode: 0, stdout: 'remote:8080', stderr: ''});
	t.is(Number(await counted()), before + 1, 'the app is redirected to the proxy');
	t.like(await ownRun.testbed(['enter', 'proxy', '--', ...ask]), {exitCode: 0, stdout: 'remote:8080', stderr: ''});
	t.is(Number(await counted()), before + 1, 'the proxy is not');
	t.like(await ownRun.testbed(['enter', 'proxy', '--', 'id', '-u']), {exitCode: 0, stdout: '1337'});
	t.like(await ownRun.testbed(['enter', 'app', pod!.replace('-pod', ''), '--', 'sh', '-c', 'id -g; id -G; exit 7']), {exitCode: 7, stdout: '1000\n1000'});
	const {stdout: addresses} = await ownRun.testbed(['enter', 'remote', '--', 'ip', '-4', '-brief', 'address', 'show', 'eth0']);
	t.regex(addresses, /10\.244\.1\.20/u);
	await ownRun.testbed(['clean']);
});

for (const [title, given, message] of [
	['an actor that there is not', ['enter', 'ap'], /has no actor "ap"\. Did you mean app\?\n→ It has proxy, app/u],
	['an actor that is like no other', ['enter', 'mailserver'], /has no actor "mailserver".\n→ It has proxy, app/u],
	['a sandbox that there is not', ['enter', 'app', 'testbed-000000'], /There is no kept sandbox "testbed-000000".\n→ Kept: testbed-/u],
	['a program that there is not', ['enter', 'app', 'nosuchprogram'], /nosuchprogram/u],
] as const) {
	test(`enter: ${title}`, async t => {
		await using ownRun = await OwnRun.create();
		await ownRun.keep();
		const {exitCode, stderr} = await ownRun.testbed(given);
		t.is(exitCode, title.includes('program') ? 127 : 2);
		t.regex(stderr, message);
		await ownRun.testbed(['clean']);
	});
}

test('enter: nothing is kept, or the namespace no longer exists', async t => {
	await using ownRun = await OwnRun.create();
	t.like(await ownRun.testbed(['enter', 'app']), {exitCode: 2, stderr: 'testbed: No sandbox is kept on this machine.\n→ Keep one first: bin/testbed run --keep'});
	const [pod] = await ownRun.keep();
	await ownRun.run('ip', ['netns', 'del', pod!]);
	const {exitCode, stderr} = await ownRun.testbed(['enter', 'app']);
	t.is(exitCode, 2);
	t.regex(stderr, /The namespace of app in testbed-[\da-f]{6} is gone/u);
	await ownRun.testbed(['clean']);
});

test('clean ends the listeners', async t => {
	await using ownRun = await OwnRun.create();
	const names = await ownRun.keep();
	const running = await processesIn(ownRun, names);
	t.true(running.length >= 2, running.join(' '));
	await ownRun.testbed(['clean']);
	for (const pid of running) {
		t.throws(() => process.kill(Number(pid), 0), {code: 'ESRCH'}, `${pid} still runs`);
	}

	const {stdout} = await ownRun.run('sh', ['-c', 'ls -A /run']);
	t.false(stdout.includes('sidecar-netfilter-testbed'));
});

/** Resolves when the keeper of a sandbox has ended: its socket takes no connection, or closes it. */
async function keeperEnded(ownRun: OwnRun, id: string): Promise<void> {
	await ownRun.run(process.execPath, ['-e', 'const socket = require("node:net").connect(process.argv[1]); socket.on("error", () => {}).resume();', `/run/sidecar-netfilter-testbed/${id}.sock`]);
}

test('--keep-for: nothing is left after that time', async t => {
	await using ownRun = await OwnRun.create();
	const {exitCode, stderr} = await ownRun.testbed(['--keep-for', '2s', '--types', '3']);
	t.is(exitCode, 0, stderr);
	t.regex(stderr, /Kept as testbed-[\da-f]{6}, with its listeners running, for 2 s\./u);
	const [pod] = namesIn(stderr);
	await keeperEnded(ownRun, pod!.replace('-pod', ''));
	t.deepEqual(await ownRun.names(), []);
	t.like(await ownRun.testbed(['clean']), {stdout: 'There is nothing to clean.'});
});

for (const [value, message] of [['10', /90s, 30m or 2h, up to 596h/u], ['0s', /90s, 30m or 2h/u], ['597h', /up to 596h/u], ['1d', /90s, 30m or 2h/u]] as const) {
	test(`--keep-for ${value} is refused`, async t => {
		await using ownRun = await OwnRun.create();
		const {exitCode, stderr} = await ownRun.testbed(['--keep-for', value]);
		t.is(exitCode, 2);
		t.regex(stderr, message);
		t.deepEqual(await ownRun.names(), []);
	});
}

test('a keeper that was killed leaves no listener, and clean removes the rest', async t => {
	await using ownRun = await OwnRun.create();
	const names = await ownRun.keep();
	const listeners = await processesIn(ownRun, names);
	const {stdout: parent} = await ownRun.run('sh', ['-c', `cut -d ' ' -f 4 /proc/${listeners[0]!}/stat`]);
	process.kill(Number(parent), 'SIGKILL');
	// Listeners end when their channel closes; reading theirs to the end is waiting for it.
	await Promise.all(listeners.map(async pid => execa('tail', ['--pid', pid, '-f', '/dev/null'])));
	t.deepEqual(await processesIn(ownRun, names), []);
	const {exitCode, stdout} = await ownRun.testbed(['clean']);
	t.is(exitCode, 0);
	t.deepEqual(stdout.split('\n').toSorted(), names.map(name => `${name}: removed`).toSorted());
	t.deepEqual(await ownRun.names(), []);
});
