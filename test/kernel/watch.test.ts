/** `--watch` on the kernel: rounds after real changes of files, and the end. */

import {
	mkdirSync, renameSync, unlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {testbed, until, WatchedRun} from './_cli.js';

function scenario(name: string, stop = 'proxy:15001'): string {
	return [
		'version: 1', `name: ${name}`, 'about: Connections of the app.', 'rules: release:1.30', 'backends: [iptables-nft]', 'probes:',
		`  - {name: out, from: app, to: 'remote:8080', expect: {stops: ['${stop}', 'remote:8080']}}`, '',
	].join('\n');
}

const dump = (port: number): string => `*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m owner ! --uid-owner 1337 -j REDIRECT --to-ports ${port}\nCOMMIT\n`;

/** A watch, with what it prints on standard output. */
class Watch implements AsyncDisposable {
	static async start(given: readonly string[], options: Parameters<typeof WatchedRun.start>[1] = {}): Promise<Watch> {
		return new Watch(await WatchedRun.start([...given, '--watch'], options));
	}

	stdout = '';
	readonly #run: WatchedRun;

	private constructor(run: WatchedRun) {
		this.#run = run;
		run.process.stdout!.on('data', (text: unknown) => {
			this.stdout += String(text);
		});
	}

	/** The line of a round, once it is there. */
	async round(number: number): Promise<string> {
		return until(`round ${number} is over`, () => new RegExp(String.raw`^round ${number}, [\d:]{8}(?<line>.*)\n`, 'mu').exec(this.stdout)?.groups?.['line']);
	}

	async says(pattern: RegExp): Promise<void> {
		await this.#run.says(pattern);
	}

	/** Ends it; returns the exit status. Nothing of it may stay. */
	async end(signal: NodeJS.Signals): Promise<number | undefined> {
		this.#run.noteNamespaces();
		this.#run.process.kill(signal);
		const {exitCode} = await this.#run.process;
		await this.#run.nothingLeft();
		return exitCode;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#run[Symbol.asyncDispose]();
	}
}

test('scenarios in a folder: only the changed one is run again; a new one, a broken one, one that goes', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const place = path.join(folder, 'scenarios');
	mkdirSync(place);
	const [one, two] = ['one', 'two'].map(name => path.join(place, `${name}.yaml`));
	writeFileSync(one!, scenario('one'));
	writeFileSync(two!, scenario('two'));
	await using watch = await Watch.start(['run', place]);
	t.is(await watch.round(1), ': 2 of 2 runs, 2 passed, 0 failed, 0 inconclusive');
	// An editor that replaces the file.
	writeFileSync(path.join(place, '.two.swp'), scenario('two', 'app:8080'));
	renameSync(path.join(place, '.two.swp'), two!);
	t.regex(await watch.round(2), /two\.yaml.* changed: 1 of 2 runs, 0 passed, 1 failed, 0 inconclusive$/u);
	t.regex(watch.stdout, /✖ .*out/u);
	// A comment decides nothing.
	writeFileSync(one!, `${scenario('one')}# mine\n`);
	t.is(await watch.round(3), ', one.yaml changed: nothing that decides a result, so nothing was run again');
	// Half a file is an error of the round.
	writeFileSync(two!, scenario('two').slice(0, 60));
	t.is(await watch.round(4), ', two.yaml changed: not run, because of the error above');
	await watch.says(/two\.yaml: .*\nNothing was run\./u);
	writeFileSync(two!, scenario('two'));
	t.is(await watch.round(5), ', two.yaml changed: 1 of 2 runs, 1 passed, 0 failed, 0 inconclusive');
	writeFileSync(path.join(place, 'three.yaml'), scenario('three'));
	t.regex(await watch.round(6), /changed: 1 of 3 runs, 1 passed, 0 failed, 0 inconclusive$/u);
	unlinkSync(path.join(place, 'three.yaml'));
	t.regex(await watch.round(7), /changed: nothing that decides a result, so nothing was run again$/u);
	t.is(await watch.end('SIGINT'), 0);
});

test('a dump: its change is seen, and the exit status says how it stood at the end', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const file = path.join(folder, 'my.rules');
	writeFileSync(file, dump(15_001));
	await using watch = await Watch.start(['run', '--rules', file, '--types', '2', '--backend', 'iptables-nft,iptables-legacy']);
	t.is(await watch.round(1), ': 2 of 2 runs, 2 passed, 0 failed, 0 inconclusive');
	// The file is removed and written again, as some editors do.
	unlinkSync(file);
	writeFileSync(file, `${dump(15_001).replace('COMMIT', '-A OUTPUT -p udp -j RETURN\n-A OUTPUT -j NOSUCH')}COMMIT\n`);
	t.is(await watch.round(2), ', my.rules changed: not run, because of the error above');
	await watch.says(/NOSUCH/u);
	t.is(await watch.end('SIGTERM'), 2);
});

test('diff: equal, moved, and a file that cannot be read for good', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const [before, after] = ['before.rules', 'after.rules'].map(name => path.join(folder, name));
	writeFileSync(before!, dump(15_001));
	writeFileSync(after!, dump(15_001));
	await using watch = await Watch.start(['diff', before!, after!, '--family', 'ipv4']);
	t.is(await watch.round(1), ': equal');
	writeFileSync(after!, dump(15_001).replace('-p tcp', '-d 10.96.0.0/12 -p tcp'));
	t.is(await watch.round(2), ', after.rules changed: something moved');
	writeFileSync(before!, `# the old ones\n${dump(15_001)}`);
	t.is(await watch.round(3), ', before.rules changed: nothing that decides a result, so nothing was compared again');
	unlinkSync(after!);
	t.is(await watch.round(4), ', after.rules changed: not run, because of the error above');
	await watch.says(/after\.rules: no such file/u);
	writeFileSync(after!, dump(15_001).replace('-p tcp', '-d 10.96.0.0/12 -p tcp'));
	t.is(await watch.round(5), ', after.rules changed: nothing that decides a result, so nothing was compared again');
	t.is(await watch.end('SIGINT'), 1);
});

test('the configuration file is watched', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const rules = path.join(folder, 'my.rules');
	const config = path.join(folder, 'own.yaml');
	writeFileSync(rules, dump(15_001));
	writeFileSync(config, 'types: \'2\'\n');
	await using watch = await Watch.start(['run', '--rules', rules], {env: {TESTBED_CONFIG: config}});
	t.is(await watch.round(1), ': 1 of 1 run, 1 passed, 0 failed, 0 inconclusive');
	writeFileSync(config, 'types: \'2\'\nbackend: iptables-legacy\n');
	t.is(await watch.round(2), ', own.yaml changed: 1 of 1 run, 1 passed, 0 failed, 0 inconclusive');
	writeFileSync(config, 'types: \'2\'\nbakend: nftables\n');
	t.is(await watch.round(3), ', own.yaml changed: not run, because of the error above');
	await watch.says(/there is no option "bakend"/u);
	writeFileSync(config, 'types: \'2\'\nbackend: iptables-legacy\n');
	t.is(await watch.round(4), ', own.yaml changed: nothing that decides a result, so nothing was run again');
	t.is(await watch.end('SIGTERM'), 0);
});

test('a signal in the middle of a round ends that round, with status 130', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const rules = path.join(folder, 'my.rules');
	writeFileSync(rules, dump(15_001));
	await using run = await WatchedRun.start(['run', '--rules', rules, '--backend', 'iptables-nft,iptables-legacy', '--watch']);
	await until('it has made a namespace', () => run.noteNamespaces() > 0 ? true : undefined);
	run.process.kill('SIGINT');
	const {exitCode} = await run.process;
	t.is(exitCode, 130);
	await run.nothingLeft();
});

for (const [given, message] of [
	[['run', '--watch'], /^testbed: --watch has no file to watch/u],
	[['run', '--watch', '--rules', '-'], /^testbed: Standard input can be read only once, so --watch cannot use it\./u],
	[['run', '--watch', '--rules', 'netns:shop'], /^testbed: netns:shop is a live pod: what it holds changes without a file/u],
	[['diff', '--watch', 'release:1.30', 'pid:1'], /^testbed: pid:1 is a live pod/u],
	[['diff', '--watch', 'release:1.30', 'release:1.29'], /^testbed: --watch has no file to watch/u],
	[['run', '--watch', 'scenarios/', '--output', 'x.txt'], /^testbed: --watch runs again and again and prints each round, so --output cannot be used with it\./u],
	[['run', '--watch', 'scenarios/', '--format', 'junit'], /^testbed: --watch prints text, one round after the other, so the format junit cannot be used with it\./u],
	[['run', '--watch', 'scenarios/', '--record', 'x'], /so --record cannot be used with it\./u],
	[['run', '--watch', 'scenarios/', '--check'], /so --check cannot be used with it\./u],
	[['run', '--watch', 'scenarios/', '--list'], /so --list cannot be used with it\./u],
	[['diff', '--watch', '--consecutive', 'release:all'], /so --consecutive cannot be used with it\./u],
	[['run', '--watch', 'scenarios/udp.yaml', '--types', '1'], /^testbed: --types cannot be used with a scenario/u],
	[['probe', '--watch', '--to', 'remote:80'], /^testbed: probe has no option --watch\./u],
] as const) {
	test(`refused: ${given.join(' ')}`, async t => {
		const {exitCode, stdout, stderr} = await testbed(given, {input: ''});
		t.deepEqual([exitCode, stdout], [2, ''], stderr);
		t.regex(stderr, message);
	});
}
