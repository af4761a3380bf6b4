/** `testbed kernels` with a QEMU that boots nothing: how it chooses KVM, what it makes of every way in which a guest can end, what it says about a machine that lacks something, and what it leaves behind. Real kernels are booted by `npm run matrix -- kernels` and in CI. */

import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {until} from './_cli.js';
import {
	FakeMachine, guests, twoKernels, withoutNetwork,
} from './_fake-guests.js';

type Document = {
	readonly accelerator: {readonly name: string; readonly because: string | null} | null;
	readonly kernels: ReadonlyArray<{readonly outcome: string; readonly reasons: readonly string[]; readonly lacks: ReadonlyArray<{readonly needs: string}>}>;
	readonly summary: Readonly<Record<string, number>>;
};

const read = (stdout: string): Document => JSON.parse(stdout) as Document;
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

for (const [title, kvm, name, because] of [
	['a kernel that starts with KVM', guests.kvmWorks, 'kvm', null],
	['a KVM that does not run stock kernels', guests.kvmHangs, 'tcg', 'with KVM, a kernel did not start within 8 s'],
	['no access to KVM', guests.kvmRefused, 'tcg', 'Could not access KVM kernel module: Permission denied'],
] as const) {
	test.serial(`${title}: ${name}`, async t => {
		await using machine = await FakeMachine.create({qemu: [kvm, guests.up, guests.passes], cached: ['6.1']});
		const {exitCode, stdout, stderr} = await machine.run(['6.1', '--format', 'json']);
		t.is(exitCode, 0, stderr);
		t.deepEqual(read(stdout).accelerator, {name, because});
		t.deepEqual(read(stdout).summary, {passed: 18, failed: 0, inconclusive: 0});
		const log = readFileSync(machine.log, 'utf8').trim().split('\n').map(line => line.split(' ').slice(1).join(' ').trim());
		t.deepEqual(log, ['kvm yes', name]);
		// What did not work is remembered until the machine boots again; what worked is tried each time.
		await machine.run(['6.1']);
		t.is(readFileSync(machine.log, 'utf8').trim().split('\n').length, name === 'kvm' ? 4 : 3);
		t.deepEqual(machine.leftovers(), []);
	});
}

test.serial('--accel tcg and --accel kvm try nothing first', async t => {
	await using machine = await FakeMachine.create({qemu: [guests.up, guests.passes], cached: ['6.1']});
	for (const name of ['tcg', 'kvm']) {
		const {stdout} = await machine.run(['6.1', '--accel', name, '--format', 'json']); // eslint-disable-line no-await-in-loop -- One log.
		t.deepEqual(read(stdout).accelerator, {name, because: null});
	}

	t.deepEqual(readFileSync(machine.log, 'utf8').trim().split('\n').map(line => line.split(' ')[1]), ['tcg', 'kvm']);
});

for (const [title, guest, exitCode, outcome, reason] of [
	['fails', [guests.up, guests.fails], 1, 'failed', /status 1: said in the guest/u],
	['lacks a module', [guests.up, guests.lacks], 3, 'inconclusive', /status 3/u],
	['panics', [guests.panics], 3, 'inconclusive', /Kernel panic - not syncing: no root/u],
	['hangs', [guests.hangs], 3, 'inconclusive', /did not boot within 2 s/u],
	['dies before its results', [guests.up], 3, 'inconclusive', /ended before its command did/u],
	['is another kernel', [guests.up, guests.isAnother], 3, 'inconclusive', /ran kernel 6\.18\.44 instead of/u],
	['cannot be started', ['echo "qemu-system-x86_64: no memory" >&2; exit 1'], 3, 'inconclusive', /QEMU ended with status 1: qemu-system-x86_64: no memory/u],
] as const) {
	test.serial(`a guest that ${title}: status ${exitCode}`, async t => {
		await using machine = await FakeMachine.create({qemu: guest, cached: ['6.1']});
		const ended = await machine.run(['6.1', '--accel', 'tcg', '--time-limit', '2s', '--format', 'json']);
		t.is(ended.exitCode, exitCode, ended.stderr);
		const [kernel] = read(ended.stdout).kernels;
		t.is(kernel?.outcome, outcome);
		t.regex(kernel!.reasons.join(' '), reason);
		t.deepEqual(kernel!.lacks.map(({needs}) => needs), title === 'lacks a module' ? ['iptable_nat'] : []);
		t.deepEqual(machine.leftovers(), []);
	});
}

test.serial('several kernels: one that does not boot does not hide the others, and a failure comes first', async t => {
	await using machine = await FakeMachine.create({qemu: [`case $release in 6.1.*) ${guests.panics};; esac`, guests.up, guests.passes], cached: ['6.1', '6.12']});
	const {exitCode, stdout} = await machine.run(['6.1', 'newest', '--accel', 'tcg']);
	t.is(exitCode, 3);
	t.regex(stdout, /^\? 6\.1 +6\.1\.192-3 +– +– .* 0 +0 +1$/mu);
	t.regex(stdout, /^✔ 6\.12\.118\+deb13 +6\.12\.118-1 +tcg .* 18 +0 +0$/mu);
	t.regex(stdout, /^ {2}6\.1 +The guest powered off before it had booted\. The last/mu);
	t.regex(stdout, /^2 kernels: 18 passed, 0 failed, 1 inconclusive$/mu);
});

test.serial('a command that is refused in the guest: status 2 after the first kernel', async t => {
	await using machine = await FakeMachine.create({qemu: [guests.up, guests.refuses], cached: ['6.1', '6.12']});
	const {exitCode, stderr} = await machine.run(['6.1', '6.12', '--accel', 'tcg', '--', 'probe', '--to', 'nowhere']);
	t.is(exitCode, 2);
	t.regex(stderr, /^testbed: The command was refused in the guest: said in the guest$/mu);
	t.is(readFileSync(machine.log, 'utf8').trim().split('\n').length, 1);
});

test.serial('--verbose prints what each kernel said', async t => {
	await using machine = await FakeMachine.create({qemu: [guests.up, guests.passes], cached: ['6.1']});
	const verbose = await machine.run(['6.1', '--accel', 'tcg', '--verbose', '--', 'doctor']);
	t.regex(verbose.stdout, /^── 6\.1\.0-57-cloud-amd64\nsaid in the guest$/mu);
	const plain = await machine.run(['6.1', '--accel', 'tcg']);
	t.notRegex(plain.stdout, /said in the guest/u);
});

/** The process of the fake QEMU, once its line in the log is whole. */
function pidIn(log: string): number | undefined {
	const line = existsSync(log) ? readFileSync(log, 'utf8') : '';
	return line.includes('\n') ? Number(line.split(' ')[0]) : undefined;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	test.serial(`${signal} while a guest runs: status 130, and QEMU has ended`, async t => {
		await using machine = await FakeMachine.create({qemu: [guests.up, guests.hangs], cached: ['6.1']});
		const running = execa(process.execPath, [path.resolve('scripts/run.cjs'), 'testbed', 'kernels', '6.1', '--accel', 'tcg'], {reject: false, env: machine.environment});
		const pid = await until('QEMU runs', () => pidIn(machine.log));
		t.true(isAlive(pid));
		running.kill(signal);
		const {exitCode, stderr} = await running;
		t.is(exitCode, 130);
		t.regex(String(stderr), new RegExp(`^testbed: Interrupted by ${signal}\\.$`, 'mu'));
		await until('QEMU has ended', () => isAlive(pid) ? undefined : true);
		t.deepEqual(machine.leftovers(), []);
	});
}

test.serial('QEMU ends even if the testbed is killed', async t => {
	await using machine = await FakeMachine.create({qemu: [guests.up, guests.hangs], cached: ['6.1']});
	const running = execa(process.execPath, [path.resolve('scripts/run.cjs'), 'testbed', 'kernels', '6.1', '--accel', 'tcg'], {reject: false, env: machine.environment});
	const pid = await until('QEMU runs', () => pidIn(machine.log));
	running.kill('SIGKILL');
	await running;
	await until('QEMU has ended', () => isAlive(pid) ? undefined : true);
	t.false(isAlive(pid));
});

test.serial('no QEMU: status 3, and what to install', async t => {
	await using machine = await FakeMachine.create({cached: ['6.1']});
	// Only what Node and the launcher need.
	const {exitCode, stdout, stderr} = await execa('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', 'for file in /usr/bin/qemu-system-x86_64 /usr/local/bin/qemu-system-x86_64; do [ ! -e "$file" ] || mount --bind /dev/null "$file"; done; exec "$@"', 'sh', process.execPath, path.resolve('scripts/run.cjs'), 'testbed', 'kernels', '6.1'], {reject: false, env: machine.environment});
	t.is(exitCode, 3);
	t.is(stdout, '');
	t.regex(stderr, /^testbed: Booting a kernel needs qemu-system-x86_64, and this machine has no such program\.\nNothing was fetched or booted\.\n→ (?:sudo )?apt-get install -y qemu-system-x86$/mu);
});

const makers = Object.fromEntries(['mmdebstrap', 'apt-get', 'apt-cache', 'dpkg-deb', 'depmod'].map(name => [name, 'exit 1']));

test.serial('no network: status 3; a kernel in the cache is booted all the same', async t => {
	await using machine = await FakeMachine.create({qemu: [guests.up, guests.passes], cached: ['6.1'], programs: {...makers, 'apt-get': withoutNetwork, 'apt-cache': 'exit 0'}});
	const none = await machine.run(['6.12']);
	t.is(none.exitCode, 3);
	t.regex(none.stderr, /^testbed: Debian's packages could not be fetched: .*Temporary failure resolving 'deb\.debian\.org'/mu);
	t.regex(none.stderr, /Is there a network\?/u);
	const one = await machine.run(['6.1', '6.12', '--accel', 'tcg', '--format', 'json']);
	t.is(one.exitCode, 3);
	t.deepEqual(read(one.stdout).kernels.map(({outcome}) => outcome), ['passed', 'inconclusive']);
	t.regex(read(one.stdout).kernels[1]!.reasons[0]!, /Temporary failure resolving/u);
	t.deepEqual(machine.entries().map(name => name.split('-')[0]), ['kernel', 'root']);
});

test.serial('a series that Debian does not have: status 2, with those that it has', async t => {
	await using machine = await FakeMachine.create({qemu: [guests.passes], cached: ['6.1'], programs: {...makers, 'apt-get': 'exit 0', 'apt-cache': twoKernels}});
	const {exitCode, stderr} = await machine.run(['6.1', '4.19']);
	t.is(exitCode, 2);
	t.regex(stderr, /^testbed: Debian has no kernel of series 4\.19 now\.\nNothing was booted\.\n→ It has 6\.1, 6\.12; newest is the last of these\.$/mu);
	t.false(existsSync(machine.log));
});

test.serial('an interrupted download leaves no half image, and what a killed one left is removed', async t => {
	const apt = 'case " $* " in *" download "*) echo downloading >"$FAKE_LOG"; : >half.deb; exec sleep 600;; esac';
	await using machine = await FakeMachine.create({qemu: [guests.up, guests.passes], cached: ['6.1'], programs: {...makers, 'apt-get': apt, 'apt-cache': twoKernels}});
	for (const [signal, left] of [['SIGINT', 0], ['SIGKILL', 1], ['SIGINT', 0]] as const) {
		writeFileSync(machine.log, '');
		const running = execa(process.execPath, [path.resolve('scripts/run.cjs'), 'testbed', 'kernels', '6.12'], {reject: false, env: machine.environment});
		// eslint-disable-next-line no-await-in-loop -- One after the other.
		await until('the download is under way', () => readFileSync(machine.log, 'utf8') === '' ? undefined : true);
		running.kill(signal);
		await running; // eslint-disable-line no-await-in-loop -- See above.
		t.is(machine.entries().filter(name => name.startsWith('work-')).length, left, signal);
		t.is(machine.entries().filter(name => name.startsWith('kernel-')).length, 1);
	}

	const {exitCode} = await machine.run(['6.1', '--accel', 'tcg']);
	t.is(exitCode, 0);
});

test.serial('two at once: the second waits until the first has made its image, and uses it', async t => {
	const apt = 'case " $* " in *" download "*) echo downloading >>"$FAKE_LOG.apt"; until [ -e "$FAKE_LOG.go" ]; do sleep 0.05; done; echo "E: gone" >&2; exit 100;; esac';
	await using machine = await FakeMachine.create({qemu: [guests.up, guests.passes], cached: ['6.1'], programs: {...makers, 'apt-get': apt, 'apt-cache': twoKernels}});
	const options = {reject: false, env: machine.environment} as const;
	const words = (series: string): readonly string[] => [path.resolve('scripts/run.cjs'), 'testbed', 'kernels', series, '--accel', 'tcg'];
	const first = execa(process.execPath, words('6.12'), options);
	await until('the download is under way', () => existsSync(`${machine.log}.apt`) ? true : undefined);
	const second = execa(process.execPath, words('6.1'), options);
	let said = '';
	second.stderr.on('data', (text: unknown) => {
		said += String(text);
	});
	await until('the second says that it waits', () => said.includes('waiting for another testbed') ? true : undefined);
	t.false(existsSync(machine.log));
	writeFileSync(`${machine.log}.go`, '');
	const [one, two] = await Promise.all([first, second]);
	t.is(one.exitCode, 3);
	t.is(two.exitCode, 0, String(two.stderr));
});

test.serial('wrong words', async t => {
	await using machine = await FakeMachine.create({qemu: [guests.passes], cached: ['6.1']});
	for (const [given, message] of [
		[[], /missing required argument|needs/iu],
		[['6.1.192'], /"6\.1\.192" is not a kernel series: two numbers, such as 6\.12, or newest\.\n→ Did you mean 6\.1\?/u],
		[['6.1', 'run'], /"run" is not a kernel series/u],
		[['6.1', '--', 'rnu'], /There is no command "rnu" to run in the guests\. Did you mean run\?/u],
		[['6.1', '--', 'serve'], /serve cannot be run in a guest/u],
		[['6.1', '--file', 'missing.yaml'], /--file .*missing\.yaml: there is no such file\./u],
		[['6.1', '--time-limit', '0'], /--time-limit/u],
		[['6.1', '--accel', 'xen'], /--accel/u],
	] as const) {
		const {exitCode, stderr} = await machine.run(given); // eslint-disable-line no-await-in-loop -- They share a cache.
		t.is(exitCode, 2, stderr);
		t.regex(stderr, message);
	}

	t.false(existsSync(machine.log));
});
