/**
`--keep` and `clean`. They work on /run, which belongs to the machine; so the tests work in a mount namespace of their own, where /run is an empty folder, and touch nothing that somebody else has kept.
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
		this.#holder.kill();
		await this.#holder;
	}
}

function namesIn(stderr: string): readonly string[] {
	return [...stderr.matchAll(/ip netns exec (?<name>\S+)/gu)].map(({groups}) => groups!['name']!);
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
		t.regex(stderr, /testbed -- clean/u);
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

test('clean removes what two runs kept, and leaves alone what others made, even under a name of ours', async t => {
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
		`${first[0]!}: another namespace by now, left alone`, `${first[1]!}: removed`, `${second[0]!}: removed`, `${second[1]!}: gone already`,
	].toSorted());
	t.deepEqual(await ownRun.names(), ['somebody', 'testbed-000000-pod', first[0]!].toSorted());

	const again = await ownRun.testbed(['clean']);
	t.like(again, {exitCode: 0, stdout: 'Nothing was kept.'});
	const names = await ownRun.names();
	t.is(names.length, 3);
});

test('without --keep nothing has a name', async t => {
	await using ownRun = await OwnRun.create();
	await ownRun.testbed(['--types', '3']);
	t.deepEqual(await ownRun.names(), []);
	const {stdout} = await ownRun.testbed(['clean']);
	t.is(stdout, 'Nothing was kept.');
});
