import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {isolated, load, writeProgram, writeTree, type Context, type Problem} from './_setup.js';

const {installPackages, packagesStand} = load('packages');
const lockfile = {packages: {'': {}, 'node_modules/a': {integrity: 'sha512-a'}, 'node_modules/other': {integrity: 'sha512-o', optional: true, os: ['win32'], cpu: ['x64']}}};

/** An npm that writes down how it was called, and brings node_modules. */
function fakeNpm(context: Context & {bin: string}, status = 0): () => number {
	const log = path.join(context.bin, 'calls');
	fs.writeFileSync(log, '');
	writeProgram(context.bin, 'npm', `echo "$*" >> '${log}'\n/bin/mkdir -p node_modules\nexit ${status}`);
	return () => fs.readFileSync(log, 'utf8').split('\n').filter(line => line.startsWith('ci --ignore-scripts --no-audit --no-fund')).length;
}

test('a new checkout is installed once, from the lockfile', async t => {
	await using context = await isolated();
	writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
	const calls = fakeNpm(context);
	t.false(packagesStand(context));
	installPackages(context);
	t.true(packagesStand(context));
	t.is(calls(), 1);
});

const changes: ReadonlyArray<{title: string; change: (context: Context) => Context}> = [
	{
		title: 'the lockfile changed',
		change(context) {
			writeTree(context.root, {'package-lock.json': '{"packages": {}}'});
			return context;
		},
	},
	{title: 'Node\'s major changed', change: context => ({...context, nodeMajor: '24'})},
	{title: 'the folder is shared with another platform', change: context => ({...context, platform: 'darwin'})},
	{title: 'the folder is shared with another architecture', change: context => ({...context, arch: 'riscv64'})},
	{
		title: 'node_modules was deleted',
		change(context) {
			fs.rmSync(path.join(context.root, 'node_modules'), {recursive: true});
			return context;
		},
	},
];

for (const {title, change} of changes) {
	test(`installs again: ${title}`, async t => {
		await using context = await isolated();
		writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
		const calls = fakeNpm(context);
		installPackages(context);
		const changed = change(context);
		t.false(packagesStand(changed));
		installPackages(changed);
		t.true(packagesStand(changed));
		t.is(calls(), 2);
	});
}

const own = (packages: Record<string, unknown>) => ({'package-lock.json': JSON.stringify(lockfile), 'node_modules/.package-lock.json': JSON.stringify({packages})});

test('a user\'s own npm ci is taken as it is', async t => {
	await using context = await isolated();
	writeTree(context.root, own({'node_modules/a': {integrity: 'sha512-a'}}));
	const calls = fakeNpm(context);
	installPackages(context);
	t.true(packagesStand(context));
	t.is(calls(), 0);
});

for (const {title, packages, change = {}} of [
	{title: 'another version', packages: {'node_modules/a': {integrity: 'sha512-b'}}},
	{title: 'a missing package', packages: {}},
	{title: 'a surplus package', packages: {'node_modules/a': {integrity: 'sha512-a'}, 'node_modules/z': {integrity: 'sha512-z'}}},
	{title: 'the binary of this machine not there', packages: {'node_modules/a': {integrity: 'sha512-a'}}, change: {platform: 'win32', arch: 'x64'}},
]) {
	test(`a user's own installation is replaced: ${title}`, async t => {
		await using context = await isolated(change);
		writeTree(context.root, own(packages));
		const calls = fakeNpm(context);
		installPackages(context);
		t.is(calls(), 1);
	});
}

test('a failed npm ci leaves no stamp, and says what to do', async t => {
	await using context = await isolated();
	writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
	fakeNpm(context, 7);
	const problem = t.throws<Problem>(() => {
		installPackages(context);
	});
	t.is(problem.exitCode, 4);
	t.true(problem.message.includes('exit status 7'));
	t.true(problem.hint.includes('npm ci'));
	t.false(packagesStand(context));
});

test('no npm at all is the same problem', async t => {
	await using context = await isolated();
	writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
	const problem = t.throws<Problem>(() => {
		installPackages(context);
	});
	t.true(problem.message.includes('ENOENT'));
});

test('what root installs in a user\'s checkout belongs to the user', async t => {
	if (process.getuid?.() !== 0) {
		t.log('Only root can give a file away; as a user there is nothing to check.');
		t.pass();
		return;
	}

	await using context = await isolated();
	writeTree(context.root, {'package-lock.json': JSON.stringify(lockfile)});
	fakeNpm(context);
	fs.chownSync(context.root, 4242, 4343);
	installPackages(context);
	for (const name of ['node_modules', 'node_modules/.testbed-stamp']) {
		const {uid, gid} = fs.statSync(path.join(context.root, name));
		t.deepEqual({uid, gid}, {uid: 4242, gid: 4343});
	}
});
